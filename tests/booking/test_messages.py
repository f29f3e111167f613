"""The record of text messages: written first, never sent twice, settled by the provider's word alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from bench.simulators.twilio_messages import TakeAndFail
from booking.db import open_pool, org_transaction
from booking.errors import (
    BookingError,
    NumberInvalid,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
    SmsUnconfirmed,
)
from booking.messages import ProcessAccount, StoredAccounts, Text, due_messages
from booking.orgs import store_credentials
from booking.ports import Place, Sealer, SmsAccount
from tests.booking.texting import ACCOUNT_SID, RECEIVER, TOKEN, Heard, Post, a_sealer, post_office
from tests.conftest import Clinic, Stack


@pytest.fixture
def sealer() -> Sealer:
    return a_sealer()


@pytest.fixture
async def post(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Post]:
    async with post_office(pool, clinic) as opened:
        yield opened


def text(to: str = RECEIVER) -> Text:
    return Text(kind="otp", subject_id=uuid4(), to=to, body=f"Your code is {uuid4().int % 10**6:06d}.")


async def test_a_message_is_recorded_sealed_and_sent(post: Post) -> None:
    sent = text()
    assert await post.send(sent)
    (message,) = post.twilio.messages.to(RECEIVER)
    assert (message.body, message.from_) == (sent.body, post.clinic.number)
    async with org_transaction(post.messages.pool, post.claim) as connection:
        row = await connection.fetchrow("select * from sms_messages where id = $1", sent.id)
    assert (row["status"], row["provider_id"], row["subject_id"]) == ("queued", message.sid, sent.subject_id)
    for column in row.values():
        assert RECEIVER not in str(column)
        assert sent.body not in str(column)


async def test_one_id_is_sent_once(post: Post) -> None:
    sent = text()
    assert [await post.send(sent), await post.send(sent)] == [True, False]
    assert len(post.twilio.messages.all) == 1


@pytest.mark.parametrize(
    "to", ["", "07700900123", "+0123456789", "+44 7700 900123", "+4477009001234567", "x" * 2000]
)
async def test_what_is_no_number_is_not_recorded(post: Post, to: str) -> None:
    sent = text(to)
    with pytest.raises(NumberInvalid):
        await post.send(sent)
    assert await post.status(sent.id) is None


@pytest.mark.parametrize(
    ("to", "fault", "error", "status"),
    [
        (numbers.OPTED_OUT, None, SmsRefused, "refused"),
        (RECEIVER, Refuse(429), SmsUnavailable, "refused"),
        (RECEIVER, Refuse(500), SmsUnconfirmed, "recorded"),
        (RECEIVER, TakeAndFail(), SmsUnconfirmed, "recorded"),
    ],
)
async def test_a_send_that_fails_says_what_is_known(
    post: Post, to: str, fault: object, error: type[BookingError], status: str
) -> None:
    if fault:
        post.twilio.faults.add(fault)
    sent = text(to)
    with pytest.raises(error):
        await post.send(sent)
    assert await post.status(sent.id) == status


async def test_a_status_never_goes_back(post: Post) -> None:
    sent = text()
    await post.send(sent)
    (message,) = post.twilio.messages.all

    async def says(status: str, code: int | None = None) -> bool:
        return await post.messages.advance(post.claim, sent.id, status, message.sid, code)  # type: ignore[arg-type]

    assert [
        await says("delivered"),
        await says("sent"),
        await says("delivered"),
        await says("failed", 30008),
    ] == [
        True,
        False,
        False,
        False,
    ]
    assert post.heard.settled == [("otp", "delivered")]


async def aged(stack: Stack, message_id: UUID, age: timedelta) -> datetime:
    """As if it had been sent so long ago; when that was."""
    admin = await asyncpg.connect(stack.admin)
    try:
        recorded_at: datetime = await admin.fetchval(
            "update sms_messages set recorded_at = recorded_at - $2::interval where id = $1"
            " returning recorded_at",
            message_id,
            age,
        )
    finally:
        await admin.close()
    return recorded_at


@pytest.mark.parametrize(
    ("arrived_s", "least_s", "most_s"), [(3, 3, 3), (-3600, 0, 0), (None, 60, 3600), (7200, 60, 3600)]
)
async def test_of_reports_at_two_replicas_at_once_one_tells_how_long_the_text_took(
    stack: Stack, post: Post, arrived_s: float | None, least_s: float, most_s: float
) -> None:
    """It was sent a minute ago, and the provider says when it arrived, nothing of that, or what cannot be."""
    sent, heard = text(), Heard()
    await post.send(sent)
    sent_at = await aged(stack, sent.id, timedelta(minutes=1))
    at = None if arrived_s is None else sent_at + timedelta(seconds=arrived_s)
    replicas = [post.messages, replace(post.messages, watch=heard)]
    came = await asyncio.gather(
        *(each.advance(post.claim, sent.id, "delivered", at=at) for each in replicas for _ in range(2))
    )
    assert sorted(came) == [False, False, False, True]
    ((kind, took_s),) = post.heard.delivered + heard.delivered
    assert kind == "otp"
    assert least_s <= round(took_s, 3) <= most_s


async def test_what_is_learnt_late_took_as_long_as_the_provider_says(stack: Stack, post: Post) -> None:
    """Its report never came; it is listed an hour later, in whole seconds."""
    sent = text()
    await post.send(sent)
    (message,) = post.twilio.messages.all
    await post.twilio.messages.report(message, "delivered")
    sent_at = await aged(stack, sent.id, timedelta(hours=1))
    message.created_at = sent_at.replace(microsecond=0)
    message.updated_at = message.created_at + timedelta(seconds=5)
    await post.messages.reconcile(post.claim, sent.id)
    ((_, took_s),) = post.heard.delivered
    assert 4 <= took_s <= 5


async def test_what_did_not_arrive_took_no_time(post: Post) -> None:
    sent = text()
    await post.send(sent)
    assert await post.messages.advance(post.claim, sent.id, "undelivered", error_code=30005)
    assert (post.heard.settled, post.heard.delivered) == ([("otp", "undelivered")], [])


async def test_another_messages_word_changes_nothing(post: Post, other_clinic: Clinic) -> None:
    sent = text()
    await post.send(sent)
    ours, theirs = post.claim, other_clinic.claim
    assert not await post.messages.advance(ours, sent.id, "delivered", "SM" + "0" * 32)
    assert not await post.messages.advance(theirs, sent.id, "delivered")
    assert not await post.messages.advance(ours, uuid4(), "delivered")
    assert await post.status(sent.id) == "queued"


async def test_a_message_that_did_go_out_is_found_again(post: Post) -> None:
    post.twilio.faults.add(TakeAndFail())
    sent = text()
    with pytest.raises(SmsUnconfirmed):
        await post.send(sent)
    post.twilio.messages.all[0].status = "delivered"
    await post.messages.reconcile(post.claim, sent.id)
    await post.messages.reconcile(post.claim, sent.id)
    assert await post.status(sent.id) == "delivered"
    assert (post.heard.settled, len(post.twilio.messages.all)) == ([("otp", "delivered")], 1)


async def test_a_message_that_never_went_out_is_lost_and_not_sent_again(post: Post) -> None:
    post.twilio.faults.add(Refuse(500))
    sent = text()
    with pytest.raises(SmsUnconfirmed):
        await post.send(sent)
    await post.messages.reconcile(post.claim, sent.id)
    assert await post.status(sent.id) == "lost"
    assert post.twilio.messages.all == []


async def test_the_providers_word_stands_above_our_guess(post: Post) -> None:
    post.twilio.faults.add(Refuse(500))
    sent = text()
    with pytest.raises(SmsUnconfirmed):
        await post.send(sent)
    await post.messages.reconcile(post.claim, sent.id)
    assert await post.messages.advance(post.claim, sent.id, "sent", "SM" + "1" * 32)
    assert await post.status(sent.id) == "sent"


async def test_equal_texts_are_not_taken_for_one_another(post: Post) -> None:
    """The list shows one message; it is another record's, so ours was lost."""
    sent = text()
    post.twilio.faults.add(Refuse(500))
    with pytest.raises(SmsUnconfirmed):
        await post.send(sent)
    await post.send(replace(sent, id=uuid4()))
    await post.messages.reconcile(post.claim, sent.id)
    assert await post.status(sent.id) == "lost"


async def test_a_provider_that_cannot_tell_is_asked_later(post: Post) -> None:
    post.twilio.faults.add(Refuse(500), times=2)
    sent = text()
    with pytest.raises(SmsUnconfirmed):
        await post.send(sent)
    before = await check_after(post, sent.id)
    await post.messages.reconcile(post.claim, sent.id)
    assert await post.status(sent.id) == "recorded"
    assert await check_after(post, sent.id) > before


async def test_the_sweep_finds_what_is_due_and_sees_no_more(stack: Stack, post: Post) -> None:
    sent = [text(), text()]
    for each in sent:
        await post.send(each)
    async with org_transaction(post.messages.pool, post.claim) as connection:
        long_ago = "update sms_messages set check_after = now() - interval '1 day' where id = $1"
        await connection.execute(long_ago, sent[0].id)
    async with await open_pool(stack.postgres.worker, max_size=1) as worker:
        due = await due_messages(worker)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch("select sealed_body from sms_messages")
    assert (post.claim, sent[0].id) in due
    assert (post.claim, sent[1].id) not in due


async def check_after(post: Post, message_id: UUID) -> datetime:
    async with org_transaction(post.messages.pool, post.claim) as connection:
        at: datetime = await connection.fetchval(
            "select check_after from sms_messages where id = $1", message_id
        )
    return at


async def test_an_org_sends_from_its_own_account(pool: asyncpg.Pool, clinic: Clinic, sealer: Sealer) -> None:
    accounts = StoredAccounts(pool, sealer, ProcessAccount(ACCOUNT_SID, TOKEN))
    assert await accounts.account(clinic.claim) == SmsAccount(
        ACCOUNT_SID, TOKEN, clinic.number, "Harley Street Clinic"
    )
    own = {"account_sid": "AC" + "6" * 32, "auth_token": "own", "sender": "MG" + "6" * 32}
    place = Place("org_credentials", "sealed", "twilio")
    sealed = sealer.seal(clinic.claim.org_id, msgspec.json.encode(own), place)
    await store_credentials(pool, clinic.claim, "twilio", sealed)
    account = await accounts.account(clinic.claim)
    assert (account.account_sid, account.auth_token, account.sender) == tuple(own.values())


@pytest.mark.parametrize("plain", [None, b"", b"{}", b'{"account_sid": 1, "auth_token": "x"}'])
async def test_unreadable_credentials_are_nobodys(
    pool: asyncpg.Pool, clinic: Clinic, sealer: Sealer, plain: bytes | None
) -> None:
    place = Place("org_credentials", "sealed", "twilio")
    sealed = b"never sealed" if plain is None else sealer.seal(clinic.claim.org_id, plain, place)
    await store_credentials(pool, clinic.claim, "twilio", sealed)
    with pytest.raises(SmsNotConfigured):
        await StoredAccounts(pool, sealer, ProcessAccount(ACCOUNT_SID, TOKEN)).account(clinic.claim)


async def test_without_any_account_nothing_can_be_sent(
    pool: asyncpg.Pool, clinic: Clinic, sealer: Sealer
) -> None:
    with pytest.raises(SmsNotConfigured):
        await StoredAccounts(pool, sealer).account(clinic.claim)
