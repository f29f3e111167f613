"""Codes on the real server: bound to a hold, used once, limited in number, life and attempts."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from booking.bookings import confirm_booking
from booking.errors import HoldOver, HoldUnknown, HoldUnverified, StatementRefused, ValueInvalid
from booking.otp import CodeCheck, CodeStored, clear_otp, code_digests, store_otp, verify_otp, void_otp
from booking.types import Claim
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.patients import CODE, TTL, WRONG, Desk, new_phone

CHECK_VIOLATION = "23514"


async def store(
    desk: Desk, hold_id: UUID, code: str = CODE, *, phone: str | None = None, ttl: timedelta = TTL
) -> CodeStored:
    return await store_otp(
        desk.pool,
        desk.clinic.claim,
        hold_id=hold_id,
        digest=desk.digest(hold_id, code),
        receiver_digest=desk.receiver(phone or new_phone()),
        ttl=ttl,
    )


async def check(desk: Desk, hold_id: UUID, code: str = CODE) -> CodeCheck:
    return await verify_otp(
        desk.pool, desk.clinic.claim, hold_id=hold_id, digests=[desk.digest(hold_id, code)]
    )


async def a_hold(desk: Desk) -> UUID:
    return (await desk.hold((await desk.free())[0])).hold_id


async def test_the_code_that_was_stored_verifies_once(desk: Desk) -> None:
    hold = await a_hold(desk)
    stored = await store(desk, hold, ttl=timedelta(minutes=1))
    assert stored.stored
    assert stored.expires_at is not None
    assert abs(stored.expires_at - datetime.now(UTC) - timedelta(minutes=1)) < timedelta(seconds=5)
    assert await check(desk, hold) == CodeCheck("verified", 5, hold_verified=True)
    assert await check(desk, hold) == CodeCheck("expired", 5, hold_verified=True)


async def test_a_code_does_not_outlive_its_hold(desk: Desk) -> None:
    hold = await a_hold(desk)
    stored = await store(desk, hold, ttl=timedelta(minutes=10))
    (row,) = await desk.by_hand("select expires_at from appointment_holds where id = $1", hold)
    assert stored.expires_at == row["expires_at"]


async def test_an_expired_code_is_worth_nothing(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold, ttl=timedelta(microseconds=1))
    assert await check(desk, hold) == CodeCheck("expired", 5, hold_verified=False)
    assert (await store(desk, hold)).stored
    assert (await check(desk, hold)).outcome == "verified"


async def test_wrong_codes_are_counted_until_the_hold_is_locked(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    answers = [await check(desk, hold, WRONG) for _ in range(6)]
    assert [each.outcome for each in answers] == ["wrong"] * 4 + ["locked"] * 2
    assert [each.attempts_left for each in answers] == [4, 3, 2, 1, 0, 0]
    assert (await check(desk, hold)).outcome == "locked"
    assert (await store(desk, hold)).outcome == "locked"


async def test_a_new_code_does_not_reset_the_count(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    for _ in range(3):
        await check(desk, hold, WRONG)
    await store(desk, hold)
    assert (await check(desk, hold, WRONG)).attempts_left == 1
    assert (await check(desk, hold)).outcome == "verified"


async def test_nor_does_a_code_that_could_not_be_sent(desk: Desk) -> None:
    hold = await a_hold(desk)
    for left in (4, 3, 2):
        await store(desk, hold)
        assert (await check(desk, hold, WRONG)).attempts_left == left
        assert await clear_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=desk.digest(hold))


async def test_a_number_is_locked_over_all_its_holds(desk: Desk) -> None:
    phone, outcomes = new_phone(), []
    for _ in range(4):
        hold = await a_hold(desk)
        outcomes.append((await store(desk, hold, phone=phone)).outcome)
        for _ in range(5):
            await check(desk, hold, WRONG)
    assert outcomes == ["stored", "stored", "stored", "locked"]


async def test_a_new_code_voids_the_one_before_and_what_it_verified(desk: Desk) -> None:
    hold = await a_hold(desk)
    phone = new_phone()
    contact_id = await desk.contact(phone)
    await store(desk, hold, "111111", phone=phone)
    await store(desk, hold, "222222", phone=phone)
    assert (await check(desk, hold, "111111")).outcome == "wrong"
    assert (await check(desk, hold, "222222")).outcome == "verified"
    await store(desk, hold, "333333", phone=phone)
    with pytest.raises(HoldUnverified):
        await confirm_booking(desk.pool, desk.clinic.claim, hold_id=hold, contact_id=contact_id)


async def test_codes_for_a_hold_are_limited(desk: Desk) -> None:
    hold = await a_hold(desk)
    answers = [await store(desk, hold) for _ in range(5)]
    assert [each.outcome for each in answers] == ["stored"] * 4 + ["limited"]
    assert [each.codes_left for each in answers] == [3, 2, 1, 0, 0]
    assert (await check(desk, hold)).outcome == "verified"  # the last one stands


async def test_codes_for_a_number_are_limited_over_all_its_holds(desk: Desk) -> None:
    phone = new_phone()
    sent = []
    for _ in range(6):
        hold = await a_hold(desk)
        sent += [(await store(desk, hold, phone=phone)).stored for _ in range(2)]
    assert sent == [True] * 10 + [False] * 2


async def test_a_code_that_could_not_be_sent_is_cleared_and_not_counted(desk: Desk) -> None:
    hold = await a_hold(desk)
    for _ in range(8):
        assert (await store(desk, hold)).codes_left == 3
        assert await clear_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=desk.digest(hold))
    assert (await check(desk, hold)).outcome == "expired"
    assert (await store(desk, hold)).stored
    assert (await check(desk, hold)).outcome == "verified"


async def test_a_code_that_may_have_gone_out_is_void_and_counted(desk: Desk) -> None:
    hold, left = await a_hold(desk), []
    for _ in range(4):
        left.append((await store(desk, hold)).codes_left)
        assert await void_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=desk.digest(hold))
        assert (await check(desk, hold)).outcome == "expired"
    assert left == [3, 2, 1, 0]
    assert (await store(desk, hold)).outcome == "limited"


async def test_codes_that_may_have_gone_out_count_for_their_number(desk: Desk) -> None:
    phone, sent = new_phone(), []
    for _ in range(12):
        hold = await a_hold(desk)
        sent.append((await store(desk, hold, phone=phone)).stored)
        await void_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=desk.digest(hold))
    assert sent == [True] * 10 + [False] * 2


async def test_a_late_failure_does_not_take_back_a_newer_code(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold, "111111")
    await store(desk, hold)
    digest = desk.digest(hold, "111111")
    assert not await clear_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=digest)
    assert not await void_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=digest)
    assert (await check(desk, hold)).outcome == "verified"


async def test_a_code_is_good_for_its_own_hold_and_org_alone(desk: Desk, other_desk: Desk) -> None:
    hold, another = await a_hold(desk), await a_hold(desk)
    assert desk.digest(hold) != desk.digest(another)
    elsewhere = code_digests(desk.sealer, other_desk.clinic.claim, hold, CODE)[0]
    assert desk.digest(hold) != elsewhere
    await store(desk, another)
    assert (await check(desk, hold)).outcome == "expired"


async def test_a_code_stored_before_the_keys_were_rotated_verifies_after(desk: Desk) -> None:
    old = MasterKey.generate()
    before, after = (VaultSealer(Vault(keys)) for keys in ([old], [MasterKey.generate(), old]))
    hold, claim = await a_hold(desk), desk.clinic.claim
    await store_otp(
        desk.pool,
        claim,
        hold_id=hold,
        digest=code_digests(before, claim, hold, CODE)[0],
        receiver_digest=desk.receiver(new_phone()),
        ttl=TTL,
    )
    checked = await verify_otp(desk.pool, claim, hold_id=hold, digests=code_digests(after, claim, hold, CODE))
    assert checked.outcome == "verified"


async def test_a_hold_that_is_over_takes_no_code(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    await desk.lapse(hold)
    with pytest.raises(HoldOver):
        await store(desk, hold)
    with pytest.raises(HoldOver):
        await check(desk, hold)


async def test_a_foreign_hold_is_unknown(desk: Desk, other_desk: Desk) -> None:
    hold = await a_hold(other_desk)
    await store(other_desk, hold)
    for each in (hold, uuid4()):
        with pytest.raises(HoldUnknown):
            await store(desk, each)
        with pytest.raises(HoldUnknown):
            await check(desk, each)
    digest = other_desk.digest(hold)
    assert not await clear_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=digest)
    assert not await void_otp(desk.pool, desk.clinic.claim, hold_id=hold, digest=digest)
    assert (await check(other_desk, hold)).outcome == "verified"


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(minutes=10, seconds=1)])
async def test_a_life_beyond_ten_minutes_or_none_is_refused(desk: Desk, ttl: timedelta) -> None:
    hold = await a_hold(desk)
    with pytest.raises(ValueInvalid, match="ttl"):
        await store(desk, hold, ttl=ttl)
    assert await desk.by_hand("select from otp_codes where hold_id = $1", hold) == []


async def test_a_digest_of_another_length_is_refused(desk: Desk) -> None:
    hold = await a_hold(desk)
    with pytest.raises(StatementRefused, match=CHECK_VIOLATION):
        await store_otp(
            desk.pool, desk.clinic.claim, hold_id=hold, digest=b"1", receiver_digest=bytes(32), ttl=TTL
        )


async def test_neither_code_nor_number_is_in_the_table(desk: Desk) -> None:
    hold, phone = await a_hold(desk), "+447700900123"
    await store(desk, hold, phone=phone)
    (row,) = await desk.by_hand("select c::text as row from otp_codes c where hold_id = $1", hold)
    assert CODE not in row["row"]
    assert CODE.encode().hex() not in row["row"]
    assert phone[1:].encode().hex() not in row["row"]


async def test_the_digest_goes_with_the_use_of_the_code(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    await check(desk, hold)
    (row,) = await desk.by_hand("select digest, state from otp_codes where hold_id = $1", hold)
    assert (row["digest"], row["state"]) == (None, "used")


async def test_guesses_at_once_count_one_by_one(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    guesses = await asyncio.gather(*(check(desk, hold, f"{n:06d}") for n in range(12)))
    outcomes = sorted(each.outcome for each in guesses)
    assert outcomes == ["locked"] * 8 + ["wrong"] * 4


async def test_a_code_checked_at_once_verifies_one(desk: Desk) -> None:
    hold = await a_hold(desk)
    await store(desk, hold)
    answers = await asyncio.gather(*(check(desk, hold) for _ in range(8)))
    assert sorted(each.outcome for each in answers) == ["expired"] * 7 + ["verified"]


@pytest.mark.parametrize("same_number", [True, False])
async def test_codes_asked_for_at_once_leave_one_in_force(desk: Desk, same_number: bool) -> None:
    hold, phone = await a_hold(desk), new_phone() if same_number else None
    answers = await asyncio.gather(*(store(desk, hold, phone=phone) for _ in range(8)))
    assert sum(each.stored for each in answers) == 4
    (live,) = await desk.by_hand("select count(*) from otp_codes where hold_id = $1 and state = 'live'", hold)
    assert live[0] == 1


async def test_a_claim_of_another_org_arms_no_function(desk: Desk, other_desk: Desk) -> None:
    hold = await a_hold(desk)
    stranger = Claim(uuid4())
    with pytest.raises(HoldUnknown):
        await verify_otp(desk.pool, stranger, hold_id=hold, digests=[desk.digest(hold)])
