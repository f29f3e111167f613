"""Forgeries stand in the audit log of the org that they name, and a flood of them does not fill it."""

import asyncio
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from booking import audit
from booking.audit import record_refusal
from booking.types import Claim
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import CALL, MEDIA_URL, Gateway, closed, start


async def entries(gateway: Gateway, claim: Claim) -> list[tuple[str, str, str]]:
    records = await audit.page_of_records(gateway.edge.desk.pool, claim, limit=100)
    return [(each.action, each.subject_kind, each.actor.kind) for each in records]


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/after", "/twilio/status", "/twilio/sms"])
async def test_a_flood_of_forged_webhooks_is_one_entry(
    gateway: Gateway, clinic: Clinic, other_clinic: Clinic, path: str
) -> None:
    fields = {"CallSid": CALL, "To": clinic.number, "From": "+447700900123"}
    answers = await asyncio.gather(*(gateway.post(path, fields, "AAAA") for _ in range(50)))
    assert {each.status_code for each in answers} == {403}
    assert await entries(gateway, clinic.claim) == [("webhook_refused", "webhook", "stranger")]
    assert await entries(gateway, other_clinic.claim) == []
    assert gateway.counted("gateway_refused_total", reason="signature") == 50


async def test_nor_is_it_more_from_several_replicas(stack: Stack, gateway: Gateway, clinic: Clinic) -> None:
    async with running.gateway(running.environment(stack)) as other:
        fields = {"CallSid": CALL, "To": clinic.number}
        for each in (gateway, other):
            await each.post("/twilio/voice", fields, "AAAA")
    assert len(await entries(gateway, clinic.claim)) == 1
    recorded = await asyncio.gather(
        *(
            record_refusal(gateway.edge.desk.pool, clinic.claim, action="media_refused", subject_kind="media")
            for _ in range(20)
        )
    )
    assert sum(recorded) == 1


async def test_an_org_or_number_that_is_not_here_leaves_nothing(gateway: Gateway) -> None:
    nobody = uuid4()
    fields = {"CallSid": CALL, "To": "+15005550006"}
    assert (await gateway.post("/twilio/voice", fields, "AAAA")).status_code == 403
    assert (await gateway.post(f"/twilio/status/{nobody}", fields, "AAAA")).status_code == 403
    assert await entries(gateway, Claim(nobody)) == []


async def test_a_forged_upgrade_that_names_an_org(gateway: Gateway, clinic: Clinic) -> None:
    with pytest.raises(InvalidStatus):
        async with gateway.media("AAAA", f"{MEDIA_URL}/{clinic.claim.org_id}"):
            pass
    assert await entries(gateway, clinic.claim) == [("media_refused", "media", "stranger")]


async def test_a_token_used_again_while_its_call_lives(gateway: Gateway, clinic: Clinic) -> None:
    call_id = "CA" + uuid4().hex
    token = await gateway.token(clinic.number, call_id)
    async with gateway.media() as first:
        await first.send(start(token, call_id))
        await running.first_audio(first)
        async with gateway.media() as second:
            await second.send(start(token, call_id))
            assert await closed(second) == (1008, "token_replayed")
        assert await entries(gateway, clinic.claim) == [("media_refused", "media", "stranger")]
    await gateway.until_idle()


async def test_without_the_database_a_forgery_is_refused_all_the_same(
    gateway: Gateway, clinic: Clinic
) -> None:
    await gateway.edge.desk.pool.close()
    fields = {"CallSid": CALL, "To": clinic.number}
    assert (await gateway.post("/twilio/voice", fields, "AAAA")).status_code == 403
