"""Twilio's reports on text messages, over a real server."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import MessageResource
from booking.db import org_transaction
from booking.messages import Text
from booking.orgs import store_credentials
from booking.ports import Place
from booking.types import Claim
from gateway.sealing import VaultSealer
from gateway.status_address import PATH
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Gateway

RECEIVER = "+447700900123"


@pytest.fixture
async def twilio(clinic: Clinic) -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as simulator:
        simulator.messages.senders.add(clinic.number)
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, twilio: TwilioApiSimulator) -> AsyncIterator[Gateway]:
    async with running.gateway(running.environment(stack, TWILIO_API_URL=twilio.url)) as served:
        twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, served.url)
        yield served


async def send(gateway: Gateway, twilio: TwilioApiSimulator, claim: Claim) -> tuple[UUID, MessageResource]:
    text = Text(kind="otp", subject_id=uuid4(), to=RECEIVER, body="123456 is your code")
    messages = gateway.edge.desk.texts.messages
    assert await messages.send(claim, await messages.accounts.account(claim), text)
    return text.id, twilio.messages.all[-1]


async def status(gateway: Gateway, claim: Claim, message_id: UUID) -> str | None:
    async with org_transaction(gateway.edge.desk.pool, claim) as connection:
        told: str | None = await connection.fetchval(
            "select status || coalesce(' ' || error_code, '') from sms_messages where id = $1", message_id
        )
    return told


async def test_a_report_settles_the_message(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    message_id, message = await send(gateway, twilio, clinic.claim)
    assert await twilio.messages.report(message, "sent") == 204
    assert await twilio.messages.report(message, "undelivered", 30005) == 204
    assert await twilio.messages.call_back(message, "delivered") == 204
    assert await status(gateway, clinic.claim, message_id) == "undelivered 30005"
    assert gateway.counted("gateway_texts_settled_total", kind="otp", status="undelivered") == 1
    assert gateway.counted("gateway_texts_settled_total", kind="otp", status="delivered") == 0
    assert gateway.counted("gateway_text_delivery_seconds_count", kind="otp") == 0


async def test_a_text_that_has_arrived_is_timed_once(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    _, message = await send(gateway, twilio, clinic.claim)
    for status in ("delivered", "delivered", "sent", "failed"):
        assert await twilio.messages.report(message, status) == 204
    assert gateway.counted("gateway_text_delivery_seconds_count", kind="otp") == 1


async def test_an_unknown_status_changes_nothing(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    message_id, message = await send(gateway, twilio, clinic.claim)
    assert await twilio.messages.call_back(message, "teleported") == 204
    assert await status(gateway, clinic.claim, message_id) == "queued"


def report(message: MessageResource, **changes: str) -> dict[str, str]:
    fields = {"MessageSid": message.sid, "MessageStatus": "delivered", "AccountSid": ACCOUNT}
    return fields | changes


async def test_forged_reports_are_forbidden(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Neither an unsigned one, nor one signed for an address that we have not given."""
    message_id, message = await send(gateway, twilio, clinic.claim)
    address = str(message.status_callback).removeprefix(PUBLIC_URL)
    others = address.replace(clinic.claim.org_id.hex, other_clinic.claim.org_id.hex)
    fields = report(message)
    assert (await gateway.post(address, fields, "AAAA")).status_code == 403
    assert (await gateway.post(address, fields, "")).status_code == 403
    assert (await gateway.post(PATH, fields)).status_code == 403
    assert (await gateway.post(others, fields)).status_code == 403
    assert (await gateway.post(address, report(message, AccountSid="AC" + "6" * 32))).status_code == 403
    assert await status(gateway, clinic.claim, message_id) == "queued"
    assert gateway.counted("gateway_refused_total", reason="signature") == 5


@pytest.mark.parametrize(
    ("changes", "answer"),
    [({"MessageSid": "x"}, 400), ({"MessageSid": ""}, 400), ({"Pad": "x" * 70_000}, 413)],
)
async def test_unreasonable_reports(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic, changes: dict[str, str], answer: int
) -> None:
    _, message = await send(gateway, twilio, clinic.claim)
    address = str(message.status_callback).removeprefix(PUBLIC_URL)
    assert (await gateway.post(address, report(message, **changes))).status_code == answer


async def test_another_messages_report_changes_nothing(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    message_id, message = await send(gateway, twilio, clinic.claim)
    address = str(message.status_callback).removeprefix(PUBLIC_URL)
    fields = report(message, MessageSid="SM" + "0" * 32)
    assert (await gateway.post(address, fields)).status_code == 204
    assert await status(gateway, clinic.claim, message_id) == "queued"


async def test_an_orgs_own_account_signs_its_reports(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    """Then the process-wide account's signature is worth nothing."""
    message_id, message = await send(gateway, twilio, clinic.claim)
    own = {"account_sid": "AC" + "6" * 32, "auth_token": "own"}
    sealed = VaultSealer(gateway.edge.desk.vault).seal(
        clinic.claim.org_id, msgspec.json.encode(own), Place("org_credentials", "sealed", "twilio")
    )
    await store_credentials(gateway.edge.desk.pool, clinic.claim, "twilio", sealed)
    assert await twilio.messages.call_back(message, "delivered") == 403
    async with TwilioApiSimulator(account_sid=own["account_sid"], auth_token="own") as owned:
        owned.messages.real_url = twilio.messages.real_url
        assert await owned.messages.call_back(message, "delivered") == 204
    assert await status(gateway, clinic.claim, message_id) == "delivered"
