"""What every `Sealer` must do. Both write one format: what one sealed the other opens."""

import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from booking.errors import MasterKeyInvalid, SealUnreadable
from booking.ports import PersonKey, Place, Sealer
from booking.sealing import MasterKeySealer
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer

Make = Callable[[Sequence[bytes]], Sealer]

ORG, OTHER_ORG = UUID(int=1), UUID(int=2)
PLACE = Place("sms_messages", "sealed_body", "1")
ELSEWHERE = [
    Place("sms_messages", "sealed_body", "2"),
    Place("sms_messages", "sealed_receiver", "1"),
    Place("contacts", "sealed_body", "1"),
    Place("sms_messagess", "ealed_body", "1"),
]
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
NUMBER = b"+447700900123"


def vault_sealer(master_keys: Sequence[bytes]) -> Sealer:
    return VaultSealer(Vault([MasterKey(key) for key in master_keys]))


MAKERS: list[Make] = [MasterKeySealer, vault_sealer]
each_maker = pytest.mark.parametrize("make", MAKERS, ids=["booking", "vault"])
each_pair = pytest.mark.parametrize(
    ("make", "other"), [(a, b) for a in MAKERS for b in MAKERS], ids=["bb", "bv", "vb", "vv"]
)


@each_pair
def test_an_orgs_value_opens_where_it_was_sealed(make: Make, other: Make) -> None:
    assert other([OLD]).open(ORG, make([OLD]).seal(ORG, b"hello", PLACE), PLACE) == b"hello"


@each_pair
@pytest.mark.parametrize("place", ELSEWHERE)
def test_moved_it_does_not(make: Make, other: Make, place: Place) -> None:
    blob = make([OLD]).seal(ORG, b"hello", PLACE)
    with pytest.raises(SealUnreadable):
        other([OLD]).open(ORG, blob, place)
    with pytest.raises(SealUnreadable):
        other([OLD]).open(OTHER_ORG, blob, PLACE)


@each_pair
async def test_a_persons_value_opens_under_their_key_alone(make: Make, other: Make) -> None:
    sealing, opening = make([OLD]), other([OLD])
    key, stranger = await sealing.new_key(ORG), await sealing.new_key(ORG)
    blob = (await sealing.under(ORG, key)).seal(b"hello", PLACE)
    assert (await opening.under(ORG, key)).open(blob, PLACE) == b"hello"
    for wrong in (stranger, None):
        with pytest.raises(SealUnreadable):
            (await opening.under(ORG, wrong)).open(blob, PLACE)
    for place in ELSEWHERE:
        with pytest.raises(SealUnreadable):
            (await opening.under(ORG, key)).open(blob, place)


@each_pair
async def test_a_persons_key_opens_what_the_org_sealed_of_them_before(make: Make, other: Make) -> None:
    blob = (await make([OLD]).under(ORG, None)).seal(b"hello", PLACE)
    opening = other([OLD])
    assert (await opening.under(ORG, await opening.new_key(ORG))).open(blob, PLACE) == b"hello"


@each_pair
async def test_a_wrapped_key_is_bound_to_its_id_and_org(make: Make, other: Make) -> None:
    key, stranger = await make([OLD]).new_key(ORG), await make([OLD]).new_key(ORG)
    with pytest.raises(SealUnreadable):
        await other([OLD]).under(ORG, PersonKey(stranger.id, key.wrapped))
    with pytest.raises(SealUnreadable):
        await other([OLD]).under(OTHER_ORG, key)


@each_maker
async def test_a_key_that_is_none_is_not_taken(make: Make) -> None:
    sealer, key_id = make([OLD]), UUID(int=3)
    short = sealer.seal(ORG, b"16 bytes, not 32", Place("contact_keys", "wrapped", str(key_id)))
    with pytest.raises(SealUnreadable):
        await sealer.under(ORG, PersonKey(key_id, short))


@each_pair
async def test_an_older_master_key_still_opens_and_finds(make: Make, other: Make) -> None:
    before, after = make([OLD]), other([NEW, OLD])
    key = await before.new_key(ORG)
    blob = before.seal(ORG, b"hello", PLACE)
    persons = (await before.under(ORG, key)).seal(b"hello", PLACE)
    assert after.open(ORG, blob, PLACE) == b"hello"
    assert (await after.under(ORG, key)).open(persons, PLACE) == b"hello"
    assert list(after.digests(ORG, "phone", NUMBER)) == [
        make([NEW]).digest(ORG, "phone", NUMBER),
        before.digest(ORG, "phone", NUMBER),
    ]
    with pytest.raises(SealUnreadable):
        before.open(ORG, after.seal(ORG, b"hello", PLACE), PLACE)


@each_pair
def test_digests_are_the_same_and_differ_by_org_and_purpose(make: Make, other: Make) -> None:
    digest = make([OLD]).digest(ORG, "phone", NUMBER)
    assert len(digest) == 32
    assert digest == other([OLD]).digest(ORG, "phone", NUMBER)
    assert digest != other([OLD]).digest(OTHER_ORG, "phone", NUMBER)
    assert digest != other([OLD]).digest(ORG, "otp", NUMBER)


@each_maker
async def test_each_byte_counts(make: Make) -> None:
    sealer = make([OLD])
    person = await sealer.under(ORG, await sealer.new_key(ORG))
    for blob in (sealer.seal(ORG, b"hi", PLACE), person.seal(b"hi", PLACE)):
        for at in range(len(blob)):
            altered = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
            for broken in (altered, blob[:at]):
                with pytest.raises(SealUnreadable):
                    person.open(broken, PLACE)
        assert person.open(blob, PLACE) == b"hi"


@each_maker
async def test_what_was_erased_does_not_open(make: Make) -> None:
    sealer = make([OLD])
    with pytest.raises(SealUnreadable):
        sealer.open(ORG, b"\x00", PLACE)
    with pytest.raises(SealUnreadable):
        (await sealer.under(ORG, await sealer.new_key(ORG))).open(b"\x00", PLACE)


@each_maker
async def test_no_two_seals_are_alike(make: Make) -> None:
    sealer = make([OLD])
    person = await sealer.under(ORG, await sealer.new_key(ORG))
    assert sealer.seal(ORG, b"hi", PLACE) != sealer.seal(ORG, b"hi", PLACE)
    assert person.seal(b"hi", PLACE) != person.seal(b"hi", PLACE)


@each_maker
async def test_refusals_and_keys_show_no_secret(make: Make) -> None:
    sealer, value = make([OLD]), secrets.token_bytes(16)
    key = await sealer.new_key(ORG)
    with pytest.raises(SealUnreadable) as refused:
        sealer.open(ORG, value, PLACE)
    shown = f"{refused.value!r}{sealer!r}{key!r}"
    assert not any(repr(secret)[2:-1] in shown for secret in (value, OLD, key.wrapped))


@each_maker
def test_the_format_of_kept_values_stays(make: Make) -> None:
    """Sealed under bytes 0 to 31 when the format was set: it must open for ever."""
    kept = bytes.fromhex("018e63c9f7ad0c692ee6627f8dc6201bdbc683e6b84e8deb536105d99c843b2bf1a53aabd5")
    assert make([OLD]).open(ORG, kept, PLACE) == b"kept"
    found = bytes.fromhex("5f712c51c083cef249bb9481449801bca37e91668190d13b2fb9221821fa2749")
    assert make([OLD]).digest(ORG, "phone", NUMBER) == found


@each_maker
async def test_the_format_of_peoples_values_stays(make: Make) -> None:
    key = PersonKey(
        UUID(int=3),
        bytes.fromhex(
            "018e63c9f74ec88bb8a1eeb5fc78170eef4d3ae4137b25bf4e62071370ca53f0e7bf0ecbeb815196"
            "f182856c0dc054fd5bb075099e50155c31a5350573205d4532"
        ),
    )
    kept = bytes.fromhex(
        "020000000000000000000000000000000303c618ffb9b8687ffd91f3ae9111eb3be5bfe5c19ccf655181ed90fe1afe01d4"
    )
    assert (await make([OLD]).under(ORG, key)).open(kept, PLACE) == b"kept"


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, OLD + b"x"]])
def test_what_is_no_master_key_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(MasterKeyInvalid):
        MasterKeySealer(keys)
