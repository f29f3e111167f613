"""A clinic taken on and kept up over real HTTP: what it does, and who may."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.audit import page_of_records
from booking.clinic_upkeep import load_clinic
from booking.orgs import load_credentials, resolve_number
from booking.slots import next_available
from booking.staff import SCOPES, issue_token, resolve_token
from booking.types import Claim
from tests.conftest import Clinic
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.running import Gateway


def number() -> str:
    return f"+4420{uuid4().int % 10**10:010d}"


def declared(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Harley Street Clinic",
        "time_zone": "Europe/London",
        "numbers": [number()],
        "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
        "services": [
            {"name": "Botox", "minutes": 30},
            {"name": "Filler", "minutes": 45, "synonyms": ["lips"]},
        ],
        "practitioners": ["Dr Patel", {"name": "Dr Okafor", "services": ["Filler"]}],
        "holidays": [{"from": "2030-12-25"}],
    } | changes


@dataclass(frozen=True)
class Made:
    """A clinic that was taken on by the platform."""

    path: str
    claim: Claim
    body: dict[str, Any]
    own: Client


@pytest.fixture
async def platform(anybody: Client) -> Client:
    return anybody.with_token(hs256(claims(None, scope="admin", sub="console")))


@pytest.fixture
async def made(platform: Client) -> Made:
    org_id, body = uuid4(), declared()
    answer = await platform.put(f"/orgs/{org_id}", body)
    assert answer.status_code == 200, answer.text
    assert "added org Harley Street Clinic" in lines(answer)
    own = platform.with_token(hs256(claims(org_id)))
    return Made(f"/orgs/{org_id}", Claim(org_id), body, own)


def lines(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [f"{each['verb']} {each['kind']} {each['name']}" for each in answer.json()["changes"]]


async def actions(pool: asyncpg.Pool, claim: Claim) -> list[tuple[str, str]]:
    return [(each.action, each.actor.kind) for each in await page_of_records(pool, claim, limit=100)]


async def test_a_clinic_is_taken_on_and_answers_its_number(
    platform: Client, made: Made, pool: asyncpg.Pool, gateway: Gateway
) -> None:
    assert await resolve_number(pool, made.body["numbers"][0]) == made.claim.org_id
    shown = (await made.own.get(made.path)).json()
    assert (shown["id"], shown["numbers"]) == (str(made.claim.org_id), made.body["numbers"])
    assert [each["name"] for each in shown["services"]] == ["Botox", "Filler"]
    assert [each["services"] for each in shown["practitioners"]] == [None, ["Filler"]]
    botox = UUID(shown["services"][0]["id"])
    slots = await next_available(pool, made.claim, service_id=botox, after=datetime.now(UTC), limit=100)
    assert {slot.practitioner for slot in slots} == {"Dr Patel"}
    assert lines(await platform.put(made.path, made.body)) == []
    assert {who for _, who in await actions(pool, made.claim)} == {"operator"}


async def test_a_trial_changes_nothing(platform: Client, made: Made, pool: asyncpg.Pool) -> None:
    before = await load_clinic(pool, made.claim)
    other = declared(numbers=made.body["numbers"], services=[], practitioners=[], holidays=[])
    tried = await platform.put(f"{made.path}?dry_run=true", other)
    assert tried.json()["tried"] is True
    assert "withdrawn practitioner Dr Patel" in lines(tried)
    assert await load_clinic(pool, made.claim) == before
    org_id = uuid4()
    assert (await platform.put(f"/orgs/{org_id}?dry_run=true", declared())).status_code == 200
    assert (await platform.get(f"/orgs/{org_id}")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"numbers": ["020"]}, "$.numbers[0]"),
        ({"time_zone": "Europe/Atlantis"}, "$.time_zone"),
        ({"hours": []}, "$.practitioners[0].hours"),
        ({"services": [{"name": "Botox", "minutes": 1}]}, "$.services[0].minutes"),
        ({"services": [{"name": "Botox", "minutes": 30, "guide": "http://x"}]}, "$.services[0].guide"),
        ({"practitioners": [{"name": "Dr X", "services": ["No"]}]}, "$.practitioners[0].services"),
        ({"fax": 1}, "$"),
    ],
)
async def test_what_makes_no_sense_is_told_by_its_place(
    platform: Client, made: Made, pool: asyncpg.Pool, changes: dict[str, Any], pointer: str
) -> None:
    before = await load_clinic(pool, made.claim)
    answer = await platform.put(made.path, made.body | changes)
    assert (answer.status_code, kind(answer), answer.json()["pointer"]) == (422, "invalid", pointer)
    assert await load_clinic(pool, made.claim) == before


async def test_a_number_of_another_clinic_is_refused(platform: Client, made: Made, clinic: Clinic) -> None:
    answer = await platform.put(f"{made.path}/numbers/{clinic.number}")
    assert (answer.status_code, clinic.number in answer.text) == (422, False)


async def test_numbers_are_the_platforms_to_give(platform: Client, made: Made, pool: asyncpg.Pool) -> None:
    more = number()
    refused = await made.own.put(f"{made.path}/numbers/{more}")
    assert (refused.status_code, kind(refused)) == (403, "scope-missing")
    for _ in range(2):
        assert (await platform.put(f"{made.path}/numbers/{more}")).status_code == 200
        assert await resolve_number(pool, more) == made.claim.org_id
    for _ in range(2):
        assert (await platform.delete(f"{made.path}/numbers/{more}")).status_code == 200
        assert await resolve_number(pool, more) is None


async def test_calls_go_by_a_change_at_once(gateway: Gateway, platform: Client, made: Made) -> None:
    """Whatever was remembered, in this process and in Redis."""
    desk, more = gateway.edge.desk, number()
    assert await desk.numbers.get(more) is None
    before = await desk.profiles.get(made.claim.org_id)
    assert before is not None
    await platform.put(f"{made.path}/numbers/{more}")
    assert lines(await made.own.patch(made.path, {"greeting": "Good day."})) == [
        "changed org Harley Street Clinic"
    ]
    assert await desk.numbers.get(more) == made.claim.org_id
    after = await desk.profiles.get(made.claim.org_id)
    assert after is not None
    assert (before.greeting, after.greeting) == ("Hello. How can I help?", "Good day.")


async def test_names_are_used_once_the_clinic_says_so(made: Made) -> None:
    assert (await made.own.get(made.path)).json()["greets_by_name"] is False
    assert lines(await made.own.patch(made.path, {"greets_by_name": True})) == [
        "changed org Harley Street Clinic"
    ]
    assert (await made.own.get(made.path)).json()["greets_by_name"] is True


async def test_a_clinic_says_how_consent_is_had_and_its_greeting_has_to_say_so(
    gateway: Gateway, made: Made, pool: asyncpg.Pool
) -> None:
    assert (await made.own.get(made.path)).json()["recording"] == "kept"
    for wrong in ("sometimes", "announced", "asked"):
        refused = await made.own.patch(made.path, {"recording": wrong})
        assert (refused.status_code, kind(refused)) == (422, "invalid")
    assert refused.json()["detail"].startswith("greeting")
    asking = {"recording": "asked", "greeting": "Hello. May we record this call?"}
    assert lines(await made.own.patch(made.path, asking)) == ["changed org Harley Street Clinic"]
    assert (await made.own.get(made.path)).json()["recording"] == "asked"
    profile = await gateway.edge.desk.profiles.get(made.claim.org_id)
    assert profile is not None
    assert profile.recording == "asked"
    assert (await actions(pool, made.claim))[0] == ("org_changed", "token")


async def test_services_come_and_go_by_id(made: Made) -> None:
    form = {"name": "Peel", "minutes": 20, "guide": "https://clinic.example.com/peel.pdf"}
    first = await made.own.post(f"{made.path}/services", form, key="peel")
    again = await made.own.post(f"{made.path}/services", form, key="peel")
    assert (first.status_code, again.json()) == (201, first.json())
    place = first.headers["location"].removeprefix("/api/v1")
    assert lines(await made.own.put(place, form | {"name": "Facial peel"})) == ["changed service Facial peel"]
    assert lines(await made.own.put(place, form | {"name": "Facial peel"})) == []
    assert lines(await made.own.delete(place)) == ["withdrawn service Facial peel"]
    assert (await made.own.delete(place)).status_code == 404
    taken = await made.own.post(f"{made.path}/services", {"name": "LIPS", "minutes": 20})
    assert (taken.status_code, kind(taken)) == (422, "invalid")


async def test_practitioners_their_hours_and_holidays(made: Made) -> None:
    week = {"hours": [{"days": ["sat"], "from": "10:00", "to": "14:00"}]}
    none = await made.own.post(f"{made.path}/practitioners", {"name": "Dr Stone"})
    assert (none.status_code, kind(none)) == (422, "invalid")
    answer = await made.own.post(f"{made.path}/practitioners", {"name": "Dr Stone"} | week)
    place = answer.headers["location"].removeprefix("/api/v1")
    assert (answer.status_code, answer.json()["hours"][0]["days"]) == (201, ["sat"])
    other = {"hours": [{"days": ["sun"], "from": "10:00", "to": "24:00"}], "breaks": []}
    assert lines(await made.own.put(f"{place}/hours", other)) == ["changed hours Dr Stone"]
    overlapping = {"hours": [*other["hours"], {"days": ["sun"], "from": "11:00", "to": "12:00"}]}
    assert (await made.own.put(f"{place}/hours", overlapping)).status_code == 422
    assert lines(await made.own.put(place, {"name": "Dr Flint", "services": []} | week)) == [
        "changed practitioner Dr Flint", "changed hours Dr Flint", "changed services Dr Flint",
    ]  # fmt: skip
    days = {"from": "2030-03-01", "to": "2030-03-04", "practitioner": "Dr Flint"}
    holiday = await made.own.post(f"{made.path}/holidays", days)
    assert holiday.status_code == 201
    assert lines(await made.own.delete(holiday.headers["location"].removeprefix("/api/v1"))) == [
        "withdrawn holiday 2030-03-01 to 2030-03-04"
    ]
    assert lines(await made.own.delete(place)) == ["withdrawn practitioner Dr Flint"]


async def test_secrets_go_in_and_never_come_out(made: Made, pool: asyncpg.Pool, gateway: Gateway) -> None:
    secret, place = "key-of-the-clinic", f"{made.path}/credentials/deepgram"
    for _ in range(2):
        assert (await made.own.put(place, {"secret": secret})).status_code == 204
    assert secret.encode() not in (await load_credentials(pool, made.claim))["deepgram"]
    listed = await made.own.get(f"{made.path}/credentials")
    assert [each["provider"] for each in listed.json()["items"]] == ["deepgram"]
    assert secret not in listed.text
    trial = await made.own.post(f"{place}/test")
    assert trial.json() == {"verdict": "unavailable", "status": None}
    bad = await made.own.put(f"{made.path}/credentials/twilio", {"secret": secret})
    assert (bad.status_code, bad.json()["pointer"], secret in bad.text) == (422, "$.secret", False)
    assert (await made.own.put(f"{made.path}/credentials/other", {"secret": "x"})).status_code == 404
    assert (await made.own.delete(place)).status_code == 204
    assert (await made.own.post(f"{place}/test")).status_code == 404
    told = [action for action, _ in await actions(pool, made.claim) if action.startswith("credentials")]
    assert told == ["credentials_removed", "credentials_rotated", "credentials_set"]


async def test_tokens_are_given_out_by_those_who_have_as_much(
    anybody: Client, made: Made, pool: asyncpg.Pool
) -> None:
    place = f"{made.path}/tokens/front%20desk"
    first = (await made.own.put(place, {"scopes": ["slots:read", "org:read"], "days": 9})).json()
    second = (await made.own.put(place, {"scopes": ["slots:read", "org:read"]})).json()
    assert await resolve_token(pool, first["token"]) is None
    desk = anybody.with_token(second["token"])
    listed = await desk.get(f"{made.path}/tokens")
    assert [each["name"] for each in listed.json()["items"]] == ["front desk"]
    assert second["token"] not in listed.text
    refused = await desk.put(place, {"scopes": ["slots:read"]})
    assert (refused.status_code, kind(refused)) == (403, "scope-missing")
    clerk = await issue_token(pool, made.claim, name="clerk", scopes=["secrets:write", "slots:read"])
    more = await anybody.with_token(clerk.secret).put(f"{made.path}/tokens/x", {"scopes": ["org:write"]})
    assert (more.status_code, kind(more)) == (403, "scope-missing")
    assert (await made.own.put(place, {"scopes": ["admin"]})).status_code == 422
    assert (await made.own.delete(place)).status_code == 204
    assert (await desk.get(made.path)).status_code == 401
    told = [action for action, _ in await actions(pool, made.claim) if action.startswith("token")]
    assert told == ["token_revoked", "token_issued", "token_issued", "token_issued"]


# --- who may ----------------------------------------------------------------------------------------------


async def test_another_clinics_is_forbidden_and_on_record(
    made: Made, other_client: Client, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """The same whether there is such a clinic or not."""
    before = await load_clinic(pool, made.claim)
    reached = [
        ("GET", "", None), ("PATCH", "", {"greeting": "Mine."}), ("GET", "/credentials", None),
        ("PUT", "/credentials/llm", {"secret": "x"}), ("GET", "/tokens", None),
        ("PUT", "/tokens/x", {"scopes": ["slots:read"]}), ("DELETE", "/tokens/x", None),
        ("DELETE", f"/services/{uuid4()}", None),
    ]  # fmt: skip
    for org in (made.path, f"/orgs/{uuid4()}"):
        for method, path, body in reached:
            parts = {} if body is None else {"json": body}
            answer = await other_client.request(method, org + path, **parts)
            assert (answer.status_code, kind(answer)) == (403, "foreign"), (method, path)
    assert await load_clinic(pool, made.claim) == before
    records = [
        each for each in await page_of_records(pool, other_clinic.claim, limit=100)
        if each.action == "foreign_refused"
    ]  # fmt: skip
    assert len(records) == 2 * len(reached)
    assert made.claim.org_id in {each.subject_id for each in records}


async def test_another_clinics_service_under_ones_own_path(
    client: Client, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    before = await load_clinic(pool, other_clinic.claim)
    mine = f"/orgs/{clinic.claim.org_id}"
    theirs = [
        f"{mine}/services/{other_clinic.service_ids[0]}",
        f"{mine}/practitioners/{other_clinic.practitioner_ids[0]}",
    ]
    for place in theirs:
        answer = await client.delete(place)
        assert (answer.status_code, kind(answer)) == (403, "foreign")
    assert await load_clinic(pool, other_clinic.claim) == before


async def test_no_scope_makes_a_clinics_token_the_platforms(
    anybody: Client, made: Made, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    org_id = clinic.claim.org_id
    everything = anybody.with_token(hs256(claims(org_id, scope=" ".join([*SCOPES, "admin"]))))
    for path in (f"/orgs/{org_id}", made.path, f"/orgs/{uuid4()}"):
        answer = await everything.put(path, declared())
        assert (answer.status_code, kind(answer)) == (403, "scope-missing")
    unserved = uuid4()
    nobody = anybody.with_token(hs256(claims(unserved)))
    for refused in (
        await nobody.patch(f"/orgs/{unserved}", {"name": "X"}),
        await nobody.put(f"/orgs/{unserved}/tokens/x", {"scopes": ["slots:read"]}),
    ):
        assert (refused.status_code, kind(refused)) == (403, "no-such-org")


async def test_the_platform_runs_clinics_and_reads_no_bookings(platform: Client, made: Made) -> None:
    for path in ("/bookings", f"/holds/{uuid4()}", f"/slots?service_id={uuid4()}"):
        answer = await platform.get(path)
        assert (answer.status_code, kind(answer)) == (403, "scope-missing")
    assert (await platform.get(made.path)).status_code == 200
    assert (await platform.patch(made.path, {"agent_name": "Bob"})).status_code == 200
    assert (await platform.put(f"{made.path}/tokens/first", {"scopes": list(SCOPES)})).status_code == 200
    assert (await platform.get("/orgs/not-an-id")).status_code == 422


async def test_a_token_of_no_clinic_needs_the_scope(anybody: Client, made: Made) -> None:
    for changes in ({"scope": " ".join(SCOPES)}, {"scope": None}, {"scope": "admin", "org_id": ""}):
        token = hs256(claims(None, **changes))
        assert (await anybody.with_token(token).get(made.path)).status_code == 401


async def test_a_line_break_in_the_path_does_not_lead_past_the_guard(
    anybody: Client, platform: Client, made: Made
) -> None:
    for path in (f"{made.path}/numbers/%0A", f"{made.path}/%0A/x", "/%0A"):
        assert (await anybody.put(path)).status_code == 401
        assert (await platform.put(path)).status_code in (404, 422)


# --- orgs on trial ------------------------------------------------------------------------------------------


async def test_a_trial_org_is_made_used_and_removed_and_its_number_is_free_again(
    platform: Client, gateway: Gateway
) -> None:
    path, body = f"/orgs/{uuid4()}", declared()
    made = await platform.request("PUT", path, json=body, params={"trial_minutes": 5})
    again = await platform.request("PUT", path, json=body, params={"trial_minutes": 5})
    token = (await platform.put(f"{path}/tokens/try", {"scopes": ["slots:read"]})).json()["token"]
    service = (await platform.get(path)).json()["services"][0]["id"]
    own = platform.with_token(token)
    assert [made.status_code, again.status_code] == [200, 200]
    assert (await own.get("/slots", service_id=service)).json()["items"]
    assert (await platform.delete(path)).status_code == 204
    assert (await platform.delete(path)).status_code == 204
    assert (await own.get("/slots", service_id=service)).status_code == 401
    assert (await platform.get(path)).status_code == 404
    later = await platform.put(f"/orgs/{uuid4()}", body)
    assert later.status_code == 200, "the number belongs to somebody still"


async def test_a_clinic_is_neither_removed_nor_made_a_trial(platform: Client, made: Made) -> None:
    removed = await platform.delete(made.path)
    tried = await platform.request("PUT", made.path, json=made.body, params={"trial_minutes": 5})
    assert [(each.status_code, kind(each)) for each in (removed, tried)] == [(409, "conflict")] * 2
    assert (await platform.get(made.path)).json()["name"] == made.body["name"]


async def test_an_org_of_its_own_accord_removes_nothing(made: Made) -> None:
    answer = await made.own.delete(made.path)
    assert (answer.status_code, kind(answer)) == (403, "scope-missing")


@pytest.mark.parametrize("minutes", ["0", "1441", "x"])
async def test_a_trial_lasts_a_day_at_most(platform: Client, minutes: str) -> None:
    answer = await platform.request(
        "PUT", f"/orgs/{uuid4()}", json=declared(), params={"trial_minutes": minutes}
    )
    assert (answer.status_code, kind(answer)) == (422, "invalid")
