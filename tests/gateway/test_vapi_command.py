"""`python -m gateway.vapi` against a strict server of Vapi's REST and the real database."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.vapi_api import VapiApiSimulator
from booking.audit import page_of_records
from booking.clinic import seed_clinic
from booking.types import OPERATOR
from booking.vapi_setups import load_vapi_setup
from gateway.sealing import open_vault
from gateway.settings import load
from gateway.tenancy.secrets import OrgSecrets
from gateway.vapi.__main__ import main
from tests.commands import run_inside
from tests.conftest import Clinic, Stack
from tests.gateway import running

KEY = "vapi-private-key"
TOKEN = "a-shared-token"
AUTH = json.dumps({"kind": "bearer", "token": TOKEN})
CHANGING = {"POST", "PATCH", "DELETE"}


@pytest.fixture
async def vapi() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=KEY) as simulator:
        yield simulator


class Operator:
    """Runs the command for one org, with an account for all orgs unless `changes` say otherwise."""

    def __init__(self, stack: Stack, clinic: Clinic, vapi: VapiApiSimulator) -> None:
        account = {"VAPI_API_URL": vapi.url, "VAPI_API_KEY": KEY, "VAPI_AUTH": AUTH}
        self.environ = running.environment(stack, **account)
        self.org = str(clinic.claim.org_id)

    async def run(self, action: str, *arguments: str, **changes: str) -> tuple[int, str]:
        """Exit status and all that was written, in which there is never a secret."""
        given = (action, "--org", self.org, *arguments)
        status, told = await run_inside(main, *given, environ=self.environ | changes)
        assert TOKEN not in told
        assert KEY not in told
        return status, told

    async def done(self, *arguments: str, **changes: str) -> str:
        status, told = await self.run("apply", *arguments, **changes)
        assert status == 0, told
        return told


@pytest.fixture
def operator(stack: Stack, clinic: Clinic, vapi: VapiApiSimulator) -> Operator:
    return Operator(stack, clinic, vapi)


def only(vapi: VapiApiSimulator, kind: str) -> dict[str, Any]:
    (found,) = vapi.objects[kind].values()
    return found


async def test_an_org_is_set_up_once_and_found_again(
    vapi: VapiApiSimulator, operator: Operator, pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    number = vapi.add_number(clinic.number, provider="twilio", assistantId="one-of-the-dashboard")
    told = await operator.done("--number", clinic.number)
    assert [line.rsplit(": ", 1)[1] for line in told.splitlines()] == [
        "created",
        "created",
        "created",
        "updated (assistantId, server)",
    ]
    setup, assistant = await load_vapi_setup(pool, clinic.claim), only(vapi, "assistant")
    assert setup is not None
    assert (setup.assistant_id, setup.choices) == (assistant["id"], {})
    assert assistant["server"]["credentialId"] == setup.credential_id
    assert assistant["credentialIds"] == [setup.credential_id, setup.model_credential_id]
    assert assistant["firstMessage"] == clinic.spec.greeting
    pointed = vapi.objects["phone-number"][number]
    assert pointed["server"]["url"] == f"{running.PUBLIC_URL}/webhooks/vapi/{operator.org}"
    assert "assistantId" not in pointed
    assert {each["provider"] for each in vapi.objects["credential"].values()} == {
        "custom-credential",
        "custom-llm",
    }

    again = await operator.done("--number", clinic.number)
    assert [line.rsplit(": ", 1)[1] for line in again.splitlines()] == [
        "sent again",
        "sent again",
        "as it was",
        "as it was",
    ]
    await seed_clinic(owner, replace(clinic.spec, greeting="Good day."), first_day=clinic.first_day)
    assert "updated (firstMessage)" in await operator.done()
    assert only(vapi, "assistant")["firstMessage"] == "Good day."
    actions = [each.action for each in await page_of_records(pool, clinic.claim, limit=100)]
    assert actions.count("vapi_set_up") == 3
    status, shown = await operator.run("show")
    assert (status, f"assistant\t{setup.assistant_id}\n" in shown) == (0, True)
    assert "serves_llm\tTrue\n" in shown


async def test_a_dry_run_shows_what_would_be_sent_and_does_nothing(
    vapi: VapiApiSimulator, operator: Operator, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    vapi.add_number(clinic.number)
    told = await operator.done("--number", clinic.number, "--dry-run", "--llm", "vapi")
    assert told.count("would be created") == 13
    assert '"token": "(secret)"' in told
    assert f'"firstMessage": "{clinic.spec.greeting}"' in told
    assert not {request.method for request in vapi.requests} & CHANGING
    assert await load_vapi_setup(pool, clinic.claim) is None
    assert (await operator.run("show"))[0] == 1


async def test_what_is_chosen_is_remembered(vapi: VapiApiSimulator, operator: Operator) -> None:
    chosen = ("--llm", "vapi", "--voice", "vapi", "--fallback", "+442079460100", "--hipaa")
    assert (await operator.done(*chosen)).count("created") == 13
    model = only(vapi, "assistant")["model"]
    assert set(model["toolIds"]) == vapi.objects["tool"].keys()
    assert "%H:%M" in model["messages"][0]["content"]
    assert (await operator.done()).count("as it was") == 12
    back = await operator.done("--llm", "ours", "--fallback", "", "--no-hipaa")
    assert "updated (model, credentialIds, compliancePlan)" in back
    kept = only(vapi, "assistant")
    assert (kept["model"]["provider"], kept["voice"]["provider"]) == ("custom-llm", "vapi")


async def test_what_broke_off_is_taken_up_where_it_ended(vapi: VapiApiSimulator, operator: Operator) -> None:
    vapi.faults.add(Refuse(400, "not today"), times=None)
    status, told = await operator.run("apply")
    assert (status, "not today" in told) == (1, True)
    vapi.faults.clear()
    made = await operator.done("--dry-run")
    assert made.count("would be created") == 3
    assert (await operator.done()).count("created") == 3

    for tools_made in (0, 4):
        vapi.faults.clear()
        vapi.objects["tool"] = dict(list(vapi.objects["tool"].items())[:tools_made])
        await operator.done("--llm", "vapi")
        names = [each["function"]["name"] for each in vapi.objects["tool"].values()]
        assert len(names) == len(set(names)) == 11
    vapi.objects["assistant"].clear()
    assert "assistant Harley Street Clinic: created" in await operator.done()


async def test_an_orgs_own_account_counts_in_its_region(
    vapi: VapiApiSimulator, operator: Operator, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    own = {"api_key": KEY, "auth": {"kind": "oauth2", "client_id": "c", "client_secret": TOKEN},
           "llm_key": TOKEN, "region": "eu"}  # fmt: skip
    secrets = OrgSecrets(pool, open_vault(load(operator.environ, env_file=None)))
    await secrets.keep(clinic.claim, "vapi", json.dumps(own), actor=OPERATOR)
    elsewhere = {"VAPI_API_URL": "http://127.0.0.1:9", "VAPI_API_URL_EU": vapi.url}
    assert (await operator.done(**elsewhere)).count("created") == 3
    plans = [each["authenticationPlan"] for each in vapi.objects["credential"].values()
             if "authenticationPlan" in each]  # fmt: skip
    assert plans[0]["url"] == f"{running.PUBLIC_URL}/vapi/token/{operator.org}"


async def test_a_call_of_the_orgs_is_deleted_at_vapi_and_no_other(
    vapi: VapiApiSimulator, operator: Operator, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await operator.done()
    theirs = vapi.add_call(status="ended", assistant={"metadata": {"org": str(uuid4())}})
    ours = (
        vapi.add_call(status="ended", assistantId=only(vapi, "assistant")["id"]),
        vapi.add_call(status="ended", assistant={"metadata": {"org": operator.org}}),
    )
    for call in ours:
        assert await operator.run("forget", "--call", call) == (0, "deleted at Vapi\n")
    for call in (*ours, theirs):
        assert (await operator.run("forget", "--call", call))[0] == 1
    assert list(vapi.calls) == [theirs]
    actions = [each.action for each in await page_of_records(pool, clinic.claim, limit=100)]
    assert actions.count("vapi_call_forgotten") == 2


async def test_what_cannot_be_is_said_in_a_line_and_changes_nothing(
    vapi: VapiApiSimulator, operator: Operator, other_clinic: Clinic, clinic: Clinic
) -> None:
    theirs = other_clinic.number
    vapi.add_number(theirs)
    hmac = json.dumps({"kind": "hmac", "secret_key": TOKEN})
    for arguments, changes, says in (
        (("--number", theirs), {}, "is no number of this org"),
        (("--number", clinic.number), {}, "Vapi does not have"),
        (("--longest-call-s", "5"), {}, "10 to 43200"),
        (("--fallback", "020"), {}, "E.164"),
        ((), {"VAPI_API_KEY": "", "VAPI_AUTH": ""}, "there is no account"),
        ((), {"VAPI_AUTH": hmac}, "llm_key"),
        ((), {"VAPI_API_KEY": "another"}, "401"),
    ):
        status, told = await operator.run("apply", *arguments, **changes)
        assert (status, says in told) == (1, True), told
    assert not {request.method for request in vapi.requests} & CHANGING
    assert (await operator.run("apply", VAPI_AUTH=hmac, VAPI_LLM_KEY="k"))[0] == 0
    operator.org = str(uuid4())
    assert "no such org" in (await operator.run("apply"))[1]
    assert (await operator.run("apply", PUBLIC_URL=""))[0] == 2
    assert (await operator.run("apply", "--llm", "theirs"))[0] == 2


async def test_two_of_the_same_are_left_to_the_operator(vapi: VapiApiSimulator, operator: Operator) -> None:
    await operator.done()
    (webhook, *_) = vapi.objects["credential"].values()
    vapi.objects["credential"]["twin"] = {**webhook, "id": "twin"}
    status, told = await operator.run("apply")
    assert (status, "several" in told, "twin" in told) == (1, True, True)
