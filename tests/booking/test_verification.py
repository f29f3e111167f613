"""The flow of a code: whatever fails or dies on the way, the caller can ask again; only the code opens."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from bench.simulators.twilio_messages import MessageResource, TakeAndFail, TakeAndStall
from booking.calls import open_call
from booking.db import org_transaction
from booking.errors import (
    CodeMalformed,
    HoldUnknown,
    NumberInvalid,
    SmsError,
    SmsNotConfigured,
    SmsRefused,
    SmsUnconfirmed,
)
from booking.holds import claim_slot, hold_status
from booking.messages import StoredAccounts
from booking.ports import OutgoingSms, ProviderSms, SmsAccount
from booking.slots import next_available
from booking.types import Conflict, Held
from booking.verification import Verification
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.texting import RECEIVER, Post, a_sealer, post_office
from tests.conftest import Clinic, Stack

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def post(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Post]:
    async with post_office(pool, clinic) as opened:
        yield opened


@pytest.fixture
def verification(post: Post) -> Verification:
    return Verification(post.messages)


@pytest.fixture
async def held(pool: asyncpg.Pool, clinic: Clinic) -> Held:
    return await a_hold(pool, clinic)


async def a_hold(pool: asyncpg.Pool, clinic: Clinic) -> Held:
    """Of a call of its own."""
    (slot,) = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), limit=1
    )
    claimed = await claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=timedelta(minutes=5))
    assert not isinstance(claimed, Conflict)
    return claimed


def code_in(post: Post, to: str = RECEIVER) -> str:
    """The code that was sent last."""
    return code_of(post.twilio.messages.to(to)[-1])


def code_of(message: MessageResource) -> str:
    found = re.search(r"\b[0-9]{6}\b", message.body)
    assert found
    return found[0]


async def outcome(verification: Verification, post: Post, held: Held, code: str) -> str:
    return (await verification.check_code(post.claim, hold_id=held.hold_id, code=code)).outcome


async def test_the_code_that_was_sent_verifies_once(
    post: Post, verification: Verification, held: Held
) -> None:
    stored = await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert stored.stored
    (message,) = post.twilio.messages.all
    assert message.body.startswith("Harley Street Clinic: ")
    assert message.validity_s == 600
    code = code_in(post)
    assert await outcome(verification, post, held, f"{code[:3]} {code[3:]}") == "verified"
    assert await outcome(verification, post, held, code) != "verified"
    assert (post.heard.sent, post.heard.checked[0]) == (["accepted"], "verified")


async def test_another_code_does_not(post: Post, verification: Verification, held: Held) -> None:
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    wrong = f"{(int(code_in(post)) + 1) % 10**6:06d}"
    assert await outcome(verification, post, held, wrong) == "wrong"
    assert post.heard.checked == ["wrong"]


async def test_nor_does_it_for_another_hold_or_org(
    post: Post, verification: Verification, held: Held, other_clinic: Clinic
) -> None:
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    code = code_in(post)
    for claim, hold_id in ((other_clinic.claim, held.hold_id), (post.claim, uuid4())):
        with pytest.raises(HoldUnknown):
            await verification.check_code(claim, hold_id=hold_id, code=code)
    assert await outcome(verification, post, held, code) == "verified"


async def test_nobodys_hold_gets_no_code(post: Post, verification: Verification, held: Held) -> None:
    with pytest.raises(HoldUnknown):
        await verification.send_code(post.claim, hold_id=uuid4(), to=RECEIVER)
    assert (post.twilio.requests, post.heard.sent) == ([], ["not_held"])


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "12345a", "' or 1=1", "1" * 10_000])
async def test_what_is_no_code_is_no_attempt(
    post: Post, verification: Verification, held: Held, code: str
) -> None:
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    for _ in range(10):
        with pytest.raises(CodeMalformed):
            await verification.check_code(post.claim, hold_id=held.hold_id, code=code)
    assert await outcome(verification, post, held, code_in(post)) == "verified"


async def test_without_an_account_nothing_is_changed(pool: asyncpg.Pool, post: Post, held: Held) -> None:
    nobodys = replace(post.messages, accounts=StoredAccounts(pool, a_sealer()))
    with pytest.raises(SmsNotConfigured):
        await Verification(nobodys).send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert await records(post, held) == []
    assert (post.twilio.requests, post.heard.sent) == ([], ["not_configured"])


async def test_what_is_no_number_changes_nothing(post: Post, verification: Verification, held: Held) -> None:
    with pytest.raises(NumberInvalid):
        await verification.send_code(post.claim, hold_id=held.hold_id, to="07700 900123")
    assert (await records(post, held), post.twilio.requests) == ([], [])


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Refuse(429), "unavailable"),
        (Refuse(401), "credentials"),
    ],
)
async def test_after_a_failure_the_caller_asks_again(
    post: Post, verification: Verification, held: Held, fault: object, told: str
) -> None:
    """And again, more often than a code may be sent: what surely never went out costs the caller nothing."""
    post.twilio.faults.add(fault, times=6)
    for _ in range(6):
        with pytest.raises(SmsError):
            await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert post.heard.sent == [told] * 6
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert await outcome(verification, post, held, code_in(post)) == "verified"


@pytest.mark.parametrize("fault", [Refuse(500), TakeAndFail()])
async def test_when_nobody_knows_the_caller_asks_again_within_the_limits(
    post: Post, verification: Verification, held: Held, fault: object
) -> None:
    """A provider that takes each message and never says so is not asked without end."""
    post.twilio.faults.add(fault, times=3)
    for _ in range(3):
        with pytest.raises(SmsUnconfirmed):
            await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    for message in post.twilio.messages.all:
        assert await outcome(verification, post, held, code_of(message)) != "verified"
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert await outcome(verification, post, held, code_in(post)) == "verified"
    assert post.heard.sent == ["unconfirmed"] * 3 + ["accepted"]
    assert not (await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)).stored


async def test_no_number_gets_more_texts_than_its_limit_over_all_its_holds(
    pool: asyncpg.Pool, clinic: Clinic, post: Post, verification: Verification
) -> None:
    post.twilio.faults.add(TakeAndFail(), times=20)
    for _ in range(3):
        held = await a_hold(pool, clinic)
        for _ in range(5):
            with suppress(SmsUnconfirmed):
                await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert len(post.twilio.messages.to(RECEIVER)) == 10
    assert post.heard.sent[:5] == ["unconfirmed"] * 4 + ["limited"]


async def test_nor_does_one_call(pool: asyncpg.Pool, post: Post, verification: Verification) -> None:
    call_id = uuid4()
    await open_call(
        pool,
        post.claim,
        call_id=call_id,
        carrier="twilio",
        carrier_call_id="CA1",
        started_at=datetime.now(UTC),
    )
    post.twilio.faults.add(TakeAndFail(), times=20)
    for _ in range(6):
        with suppress(SmsUnconfirmed):
            await verification.send_caller_code(post.claim, call_id=call_id, to=RECEIVER)
    assert len(post.twilio.messages.to(RECEIVER)) == 4


async def test_limits_hold_over_a_change_of_the_master_key(
    pool: asyncpg.Pool, clinic: Clinic, post: Post
) -> None:
    """The number's digest is another one then; what it was sent before counts all the same."""
    old = MasterKey.generate()
    stored = 0
    for keys in ([old], [MasterKey.generate(), old]):
        verification = Verification(replace(post.messages, sealer=VaultSealer(Vault(keys))))
        for _ in range(3):
            held = await a_hold(pool, clinic)
            for _ in range(3):
                answer = await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
                stored += answer.stored
    assert stored == 10


async def test_so_do_wrong_attempts(pool: asyncpg.Pool, clinic: Clinic, post: Post) -> None:
    old, new = MasterKey.generate(), MasterKey.generate()
    outcomes = []
    for keys in ([old], [old], [new, old], [new, old]):
        verification = Verification(replace(post.messages, sealer=VaultSealer(Vault(keys))))
        held = await a_hold(pool, clinic)
        stored = await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
        outcomes.append(stored.outcome)
        wrong = f"{(int(code_in(post)) + 1) % 10**6:06d}"
        for _ in range(5):
            await verification.check_code(post.claim, hold_id=held.hold_id, code=wrong)
    assert outcomes == ["stored", "stored", "stored", "locked"]


async def test_a_receiver_who_opted_out_may_give_another_number(
    post: Post, verification: Verification, held: Held
) -> None:
    with pytest.raises(SmsRefused) as refused:
        await verification.send_code(post.claim, hold_id=held.hold_id, to=numbers.OPTED_OUT)
    assert refused.value.reason == "opted_out"
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert await outcome(verification, post, held, code_in(post)) == "verified"
    assert post.heard.sent == ["opted_out", "accepted"]


async def test_cancelled_while_sending(post: Post, verification: Verification, held: Held) -> None:
    post.twilio.faults.add(TakeAndStall())
    taken = asyncio.Event()
    post.twilio.messages.taken = lambda _: taken.set()
    sending = asyncio.create_task(verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER))
    await taken.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await outcome(verification, post, held, code_in(post)) != "verified"
    again = await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert again.codes_left == 2
    assert await outcome(verification, post, held, code_in(post)) == "verified"


class NeverAnswers:
    """A provider that is cancelled out of, twice: the second time once the code is being taken back."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, account: SmsAccount, sms: OutgoingSms) -> ProviderSms:
        task = asyncio.current_task()
        assert task is not None
        self.asked.set()
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            asyncio.get_running_loop().call_soon(task.cancel)

    async def find(self, account: SmsAccount, sms: OutgoingSms, *, since: datetime) -> list[ProviderSms]:
        return []


async def test_cancelled_again_while_the_code_is_taken_back(post: Post, held: Held) -> None:
    sender = NeverAnswers()
    verification = Verification(replace(post.messages, sender=sender))
    sending = asyncio.create_task(verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER))
    await sender.asked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    async with org_transaction(post.messages.pool, post.claim) as connection:
        states = await connection.fetch("select state from otp_codes where hold_id = $1", held.hold_id)
    assert [row["state"] for row in states] == ["unconfirmed"]


async def test_sends_are_limited(post: Post, verification: Verification, held: Held) -> None:
    for _ in range(20):
        stored = await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert not stored.stored
    assert post.heard.sent[-1] == "limited"
    assert len(post.twilio.messages.all) == post.heard.sent.count("accepted") < 20


@pytest.mark.parametrize(
    ("step", "fates"),
    [
        ("account fetched", []),
        ("code stored", []),
        ("message recorded", ["lost"]),
        ("message sent", ["queued"]),
        ("all done", ["queued"]),
    ],
)
async def test_killed_after_any_step_nothing_is_stuck(
    stack: Stack, post: Post, verification: Verification, held: Held, step: str, fates: list[str]
) -> None:
    await killed_after(step, stack, post, held)
    before = len(post.twilio.messages.all)
    for message_id, _ in await records(post, held):
        await post.messages.reconcile(post.claim, message_id)
    assert [fate for _, fate in await records(post, held)] == fates
    assert len(post.twilio.messages.all) == before

    status = await hold_status(post.messages.pool, post.claim, slot_id=held.slot.id)
    assert status.state == "held"
    await verification.send_code(post.claim, hold_id=held.hold_id, to=RECEIVER)
    assert await outcome(verification, post, held, code_in(post)) == "verified"


async def killed_after(step: str, stack: Stack, post: Post, held: Held) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.booking.dying_sender", step, stack.postgres.app, post.twilio.url),
        *(str(post.claim.org_id), str(held.hold_id), RECEIVER),
        cwd=ROOT,
    )
    assert await process.wait() == -signal.SIGKILL


async def records(post: Post, held: Held) -> list[tuple[UUID, str]]:
    async with org_transaction(post.messages.pool, post.claim) as connection:
        rows = await connection.fetch(
            "select id, status from sms_messages where subject_id = $1 order by recorded_at", held.hold_id
        )
    return [(row["id"], row["status"]) for row in rows]
