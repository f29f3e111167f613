"""A booking with all that is known of a contact, over the API and in a call; and refusals."""

import io
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.replies import Call, Reply
from gateway.api import compliance_people, dispatch
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, Rig, ask
from tests.calls.test_canaries import found_in, logged, pass_on, shown
from tests.calls.test_canaries_defects import CANARIES as IN_A_DEFECT
from tests.calls.test_canaries_defects import broken_later
from tests.conftest import Clinic, Stack
from tests.gateway.api.booked import code_sent, held
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, Client, claims, hs256

__all__ = ["logged"]

PHONE = "+447700900654"
PERSON = {"phone": PHONE, "name": "Peregrine Yarborough", "email": "yarborough@example.org"}
CANARIES = ("peregrine", "yarborough", "7700900654")
API = {"API_JWT_ISSUER": ISSUER, "API_JWT_AUDIENCE": AUDIENCE, "API_JWT_SECRET": SECRET, "LOG_LEVEL": "debug"}


@asynccontextmanager
async def api(calling: Calling, clinic: Clinic) -> AsyncIterator[tuple[Rig, Client]]:
    """A gateway, and the clinic's own system with all scopes."""
    async with calling([], [], **API) as made:
        document = (await made.gateway.http.get(made.gateway.url + "/api/openapi.json")).json()
        yield made, Client(made.gateway, document, hs256(claims(clinic.claim.org_id)))


async def book(made: Rig, client: Client) -> list[str]:
    """Every answer on the way to an appointment and back."""
    hold = await held(client, made.clinic)
    code_at = f"/holds/{hold['id']}/otp"
    answers = [await client.post(code_at, {"phone": PHONE})]
    answers.append(await client.post(f"{code_at}/check", {"code": code_sent(made.twilio, PHONE)}))
    order = {"hold_id": hold["id"], "contact": PERSON}
    answers += [await client.post("/bookings", order, key="once") for _ in range(2)]
    booking = f"/bookings/{answers[-1].json()['id']}"
    answers += [await client.get("/bookings"), await client.get(booking), await client.delete(booking)]
    assert [answer.status_code for answer in answers] == [202, 200, 201, 201, 200, 200, 204]
    return [answer.text + str(answer.headers) for answer in answers]


async def test_a_contact_booked_over_the_api_is_found_nowhere(
    calling: Calling, clinic: Clinic, stack: Stack, logged: io.StringIO
) -> None:
    async with api(calling, clinic) as (made, client):
        answers = await book(made, client)
        places = {"answers": str(answers), **await shown(made, stack, logged)}
    assert places["public.contacts.id"]
    assert {where: found for where, text in places.items() if (found := found_in(text, CANARIES))} == {}


async def test_a_name_booked_in_a_call_is_found_nowhere(
    calling: Calling, stack: Stack, logged: io.StringIO
) -> None:
    """Nor the number, though Twilio quotes both as it refuses the first text."""
    send = Call("send_code", {"number": None})
    confirm = Call("confirm_booking", {"name": PERSON["name"]})
    replies = [Reply("", (OFFER,)), "Which one?", Reply("", (CLAIM, send)), "Try again.", Reply("", (send,))]
    replies += ["I have texted you.", pass_on, Reply("", (confirm,)), "That is booked, Peregrine Yarborough."]
    lines = ["A nose job.", "The first one, my name is Peregrine Yarborough.", "Please text me again."]
    async with calling(lines, replies, LOG_LEVEL="debug", SPECULATION="off") as made:
        async with made.call(caller=PHONE) as live:
            await live.agent_answers(500)
            await ask(live)
            made.twilio.faults.add(Refuse(400, f"'To' {PHONE} of Peregrine Yarborough cannot be texted"))
            await ask(live)
            await ask(live)
            await live.press(f"{made.code(PHONE)}#")
            await live.agent_answers(500)
        sent = [outcome for name, outcome in made.tools() if name == "send_code"]
        assert sent[0] != sent[1] == "sent"
        assert made.tools()[-2:] == [("verify_code", "verified"), ("confirm_booking", "booked")]
        heard = " ".join(str(request.messages) for request in made.chat.requests).casefold()
        places = await shown(made, stack, logged)
    assert CANARIES[1] in heard
    assert {where: found for where, text in places.items() if (found := found_in(text, CANARIES))} == {}


# --- refusals ----------------------------------------------------------------------------------------------

PLANTED = "Quintessa Marchbanks"
WORDS = ("quintessa", "marchbanks")
UNFIT: tuple[Any, ...] = (PLANTED, [PLANTED], {PLANTED: PLANTED})
Request = tuple[str, str, dict[str, Any]]


def unfit(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies with something planted in one field each, also in inner ones; first in one that nobody knows."""
    yield {PLANTED: PLANTED}
    for name, declared in resolved(schema, schemas).get("properties", {}).items():
        yield from ({name: value} for value in UNFIT)
        if "properties" in resolved(declared, schemas):
            yield from ({name: inner} for inner in unfit(declared, schemas))


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    found: Mapping[str, Any] = schema if reference is None else schemas[reference.rpartition("/")[2]]
    return found


def requests(document: Mapping[str, Any], clinic: Clinic) -> Iterator[Request]:
    """Method, path and the rest: to each operation, with something planted wherever it takes a value."""
    schemas = document["components"]["schemas"]
    for template, methods in document["paths"].items():
        own = template.replace("{org_id}", str(clinic.claim.org_id))
        path = re.sub(r"\{\w+_id\}", str(uuid4()), own)
        path = re.sub(r"\{\w+\}", PLANTED, path)
        for method, operation in methods.items():
            yield method, re.sub(r"\{\w+\}", PLANTED, own), {}
            names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
            yield from ((method, path, {"params": {name: PLANTED}}) for name in [PLANTED, *names])
            for content in operation.get("requestBody", {}).get("content", {}).values():
                no_json = {"content": PLANTED.encode(), "headers": {"Content-Type": "application/json"}}
                yield method, path, no_json
                yield from ((method, path, {"json": body}) for body in unfit(content["schema"], schemas))


async def refusals(
    calling: Calling, clinic: Clinic, log: io.StringIO, below: str = "/"
) -> tuple[list[httpx.Response], list[str]]:
    """What is refused of all these, and what each that quotes the planted words was asked."""
    refused, quoting = [], []
    async with api(calling, clinic) as (made, client):
        document = (await made.gateway.http.get(made.gateway.url + "/api/openapi.json")).json()
        document["paths"] = {path: each for path, each in document["paths"].items() if path.startswith(below)}
        for method, path, parts in requests(document, clinic):
            headers = {"Idempotency-Key": str(uuid4()), **parts.pop("headers", {})}
            answer = await client.request(method.upper(), path, headers=headers, **parts)
            if answer.status_code >= 400:
                refused.append(answer)
                told = answer.text + str(answer.headers)
                quoting += [f"{method} {path}"] if found_in(told, WORDS) else []
    return refused, quoting + found_in(log.getvalue(), WORDS)


async def test_no_refusal_quotes_what_was_sent(calling: Calling, clinic: Clinic, logged: io.StringIO) -> None:
    refused, quoting = await refusals(calling, clinic, logged)
    assert quoting == []
    assert {answer.status_code for answer in refused} <= {400, 403, 404, 415, 422}
    assert len([answer for answer in refused if answer.status_code == 422]) > 100


async def test_a_refusal_that_quotes_would_be_found(
    calling: Calling, clinic: Clinic, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """msgspec's own message names a field that nobody knows."""
    monkeypatch.setattr(dispatch, "_place_of", str)
    _, quoting = await refusals(calling, clinic, logged, "/bookings")
    assert "post /bookings" in quoting


async def test_an_answer_to_what_broke_does_not_quote_it(
    calling: Calling, clinic: Clinic, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compliance_people, "export_contact", broken_later)
    async with api(calling, clinic) as (_, client):
        answer = await client.get(f"/contacts/{uuid4()}/export")
    assert answer.status_code == 500
    assert "Defect at" in logged.getvalue()
    assert found_in(answer.text + str(answer.headers) + logged.getvalue(), IN_A_DEFECT) == []
