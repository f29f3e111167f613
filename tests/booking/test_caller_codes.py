"""Codes of a call, without a hold: who calls proves a number, under the same limits as with one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from booking.bookings import confirm_booking
from booking.calls import close_call, open_call
from booking.errors import CallOver, CallUnknown, HoldUnverified
from booking.otp import CodeCheck, CodeStored, clear_call_otp, store_call_otp, verify_call_otp
from booking.reception import VerifiedCaller, verified_caller
from tests.booking.patients import CODE, TTL, WRONG, Desk, new_phone


@dataclass(frozen=True)
class Caller:
    """Somebody on the line."""

    desk: Desk
    call_id: UUID
    phone: str

    async def store(self, code: str = CODE, phone: str | None = None) -> CodeStored:
        return await store_call_otp(
            self.desk.pool,
            self.desk.clinic.claim,
            call_id=self.call_id,
            digest=self.desk.digest(self.call_id, code),
            receiver_digest=self.desk.receiver(phone or self.phone),
            ttl=TTL,
        )

    async def check(self, code: str = CODE) -> CodeCheck:
        digests = [self.desk.digest(self.call_id, code)]
        return await verify_call_otp(
            self.desk.pool, self.desk.clinic.claim, call_id=self.call_id, digests=digests
        )

    async def known(self, hold_id: UUID | None = None) -> VerifiedCaller | None:
        return await verified_caller(
            self.desk.pool, self.desk.clinic.claim, call_id=self.call_id, hold_id=hold_id
        )

    async def hang_up(self) -> None:
        await close_call(
            self.desk.pool,
            self.desk.clinic.claim,
            call_id=self.call_id,
            end_reason="caller_hung_up",
            ended_at=datetime.now(UTC),
        )


async def calling(desk: Desk, phone: str | None = None) -> Caller:
    call_id = uuid4()
    await open_call(
        desk.pool,
        desk.clinic.claim,
        call_id=call_id,
        carrier="twilio",
        carrier_call_id="CA1",
        started_at=datetime.now(UTC),
    )
    return Caller(desk, call_id, phone or new_phone())


async def test_a_caller_is_known_once_the_code_came_back(desk: Desk) -> None:
    caller = await calling(desk)
    contact = await desk.contact(caller.phone)
    assert (await caller.store()).stored
    assert await caller.known() is None
    assert await caller.check() == CodeCheck("verified", 5, hold_verified=True)
    assert await caller.known() == VerifiedCaller(contact)
    assert (await caller.check()).outcome == "expired"


async def test_a_proved_number_that_nobody_has_is_somebody_new(desk: Desk) -> None:
    caller = await calling(desk)
    await caller.store()
    await caller.check()
    assert await caller.known() == VerifiedCaller(None)


async def test_a_new_code_takes_back_what_the_one_before_proved(desk: Desk) -> None:
    caller = await calling(desk)
    await caller.store()
    await caller.check()
    await caller.store("222222")
    assert await caller.known() is None


async def test_a_call_proves_nothing_for_another(desk: Desk, other_desk: Desk) -> None:
    caller = await calling(desk)
    await caller.store()
    await caller.check()
    assert await (await calling(desk, caller.phone)).known() is None
    elsewhere = Caller(other_desk, caller.call_id, caller.phone)
    assert await elsewhere.known() is None
    with pytest.raises(CallUnknown):
        await elsewhere.store()
    with pytest.raises(CallUnknown):
        await elsewhere.check()


async def test_what_proved_a_hold_of_the_call_proves_the_caller(desk: Desk) -> None:
    caller = await calling(desk)
    held, contact = await desk.verified((await desk.free())[0], caller.call_id)
    assert await caller.known() is None
    assert await caller.known(held.hold_id) == VerifiedCaller(contact)
    other = await calling(desk)
    assert await other.known(held.hold_id) is None


async def test_a_code_of_the_call_books_no_hold(desk: Desk) -> None:
    caller = await calling(desk)
    contact = await desk.contact(caller.phone)
    held = await desk.hold((await desk.free())[0], caller.call_id)
    await caller.store()
    await caller.check()
    with pytest.raises(HoldUnverified):
        await confirm_booking(desk.pool, desk.clinic.claim, hold_id=held.hold_id, contact_id=contact)


async def test_wrong_codes_lock_the_call_and_a_new_code_resets_nothing(desk: Desk) -> None:
    caller = await calling(desk)
    await caller.store()
    assert [(await caller.check(WRONG)).attempts_left for _ in range(3)] == [4, 3, 2]
    await caller.store()
    assert [(await caller.check(WRONG)).outcome for _ in range(3)] == ["wrong", "locked", "locked"]
    assert (await caller.check()).outcome == "locked"
    assert (await caller.store()).outcome == "locked"


async def test_codes_of_a_call_are_limited(desk: Desk) -> None:
    caller = await calling(desk)
    assert [(await caller.store()).codes_left for _ in range(5)] == [3, 2, 1, 0, 0]
    assert (await caller.store()).outcome == "limited"


async def test_calls_and_holds_share_what_a_number_may_try(desk: Desk) -> None:
    """Ten codes and fifteen failures an hour for one number, whichever way they are asked for."""
    phone, sent = new_phone(), []
    for _ in range(2):
        caller = await calling(desk, phone)
        sent += [(await caller.store()).outcome for _ in range(4)]
        for _ in range(5):
            await caller.check(WRONG)
    held = await desk.hold((await desk.free())[0])
    await desk.verify(held.hold_id, phone)
    third = await calling(desk, phone)
    sent += [(await third.store()).outcome for _ in range(2)]
    assert sent == ["stored"] * 9 + ["limited"]
    for _ in range(4):
        await third.check(WRONG)
    assert (await third.check(WRONG)).outcome == "locked"


async def test_a_code_that_could_not_be_sent_is_not_counted(desk: Desk) -> None:
    caller = await calling(desk)
    for _ in range(5):
        assert (await caller.store()).codes_left == 3
        digest = desk.digest(caller.call_id)
        claim = desk.clinic.claim
        assert await clear_call_otp(desk.pool, claim, call_id=caller.call_id, digest=digest)
    assert (await caller.check()).outcome == "expired"


async def test_an_ended_call_neither_sends_nor_checks(desk: Desk) -> None:
    caller = await calling(desk)
    await caller.store()
    await caller.hang_up()
    with pytest.raises(CallOver):
        await caller.store()
    with pytest.raises(CallOver):
        await caller.check()


async def test_an_expired_code_is_worth_nothing(desk: Desk) -> None:
    caller = await calling(desk)
    stored = await store_call_otp(
        desk.pool,
        desk.clinic.claim,
        call_id=caller.call_id,
        digest=desk.digest(caller.call_id),
        receiver_digest=desk.receiver(caller.phone),
        ttl=timedelta(microseconds=1),
    )
    assert stored.stored
    assert (await caller.check()).outcome == "expired"
