"""Keys of people: what they seal opens under them alone."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import BlobMalformed, KeyUnknown, SealBroken, ValueErased, VaultError
from compliance.keys import Keyring, PersonKey, VaultKeys, WrappedKey, key_named
from compliance.vault import ERASED, Cell, MasterKey, Vault

MASTER = MasterKey(bytes(range(32)))
ORG = UUID("6f1e6a0e-0000-4000-8000-000000000001")
KEY_ID = UUID("6f1e6a0e-0000-4000-8000-00000000000b")
CELL = Cell("pii_vault", "sealed", "6f1e6a0e-0000-4000-8000-00000000000a")
SEALED_BY_VERSION_2 = (
    "026f1e6a0e00004000800000000000000bb84ef0da836abc8e5ba50299f3bf78c2a44f339be7d3d5843b766dc9"
    "d2d462ec5a9a69785c4f68929f576322e0"
)


def keyring(*keys: MasterKey) -> Keyring:
    return Keyring.of(Vault(keys or (MASTER,)))


def a_key(key_id: UUID = KEY_ID) -> PersonKey:
    return PersonKey(Vault([MASTER]).for_org(ORG), ORG, key_id, bytes(32))


@given(st.binary(max_size=300))
def test_opens_what_it_sealed(plain: bytes) -> None:
    assert a_key().open(a_key().seal(plain, CELL), CELL) == plain


def test_opens_what_the_org_sealed_before_there_were_keys_of_people() -> None:
    assert a_key().open(Vault([MASTER]).for_org(ORG).seal(b"Jane", CELL), CELL) == b"Jane"


def test_a_value_names_its_key() -> None:
    assert key_named(a_key().seal(b"Jane", CELL)) == KEY_ID
    assert key_named(Vault([MASTER]).for_org(ORG).seal(b"Jane", CELL)) is None
    assert key_named(ERASED) is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        Cell("contacts", "sealed", CELL.row),
        Cell("pii_vault", "x", CELL.row),
        Cell("pii_vault", "sealed", "x"),
    ],
)
def test_a_value_moved_to_another_cell_does_not_open(elsewhere: Cell) -> None:
    with pytest.raises(SealBroken):
        a_key().open(a_key().seal(b"Jane", CELL), elsewhere)


def test_a_value_of_one_org_does_not_open_for_another() -> None:
    other = uuid4()
    with pytest.raises(SealBroken):
        PersonKey(Vault([MASTER]).for_org(other), other, KEY_ID, bytes(32)).open(
            a_key().seal(b"Jane", CELL), CELL
        )


def test_the_value_of_another_key_counts_as_erased() -> None:
    with pytest.raises(ValueErased):
        a_key().open(a_key(uuid4()).seal(b"Jane", CELL), CELL)


def test_every_flipped_bit_is_an_error() -> None:
    blob = a_key().seal(b"Jane", CELL)
    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultError):
            a_key().open(bytes(flipped), CELL)


def test_every_shortened_value_is_an_error() -> None:
    blob = a_key().seal(b"Jane", CELL)
    for length in range(len(blob)):
        with pytest.raises(VaultError):
            a_key().open(blob[:length], CELL)


def test_where_a_value_was_erased_nothing_opens() -> None:
    for opened in (a_key(), Vault([MASTER]).for_org(ORG)):
        with pytest.raises(ValueErased):
            opened.open(ERASED, CELL)


async def test_a_wrapped_key_opens_for_its_org_and_id_alone() -> None:
    keys = keyring()
    made = await keys.new_key(ORG)
    sealed = (await keys.unlocked(ORG, made)).seal(b"Jane", CELL)
    assert await keys.open(ORG, sealed, CELL, made) == b"Jane"
    for org_id, key_id in ((uuid4(), made.id), (ORG, uuid4())):
        with pytest.raises(SealBroken):
            await keys.unlocked(org_id, WrappedKey(key_id, made.wrapped))
    with pytest.raises(ValueErased):
        await keys.open(ORG, sealed, CELL, None)


async def test_every_flipped_bit_of_a_wrapped_key_is_an_error() -> None:
    keys = keyring()
    made = await keys.new_key(ORG)
    for bit in range(len(made.wrapped) * 8):
        flipped = bytearray(made.wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultError):
            await keys.unlocked(ORG, WrappedKey(made.id, bytes(flipped)))


async def test_a_key_wrapped_under_a_master_key_that_is_not_there_names_it() -> None:
    other = MasterKey.generate()
    made = await keyring(other).new_key(ORG)
    with pytest.raises(KeyUnknown) as caught:
        await keyring().unlocked(ORG, made)
    assert caught.value.key_id == other.id.hex()


async def test_what_is_no_key_is_told_as_such() -> None:
    wrapped = await VaultKeys(Vault([MASTER])).wrap(ORG, KEY_ID, b"short")
    with pytest.raises(BlobMalformed):
        await keyring().unlocked(ORG, WrappedKey(KEY_ID, wrapped))


async def test_keys_are_never_shown() -> None:
    made = await keyring().new_key(ORG)
    assert made.wrapped.hex()[:16] not in repr(made)
    assert "wrapped" not in repr(made)


def test_sealing_agrees_with_the_written_format() -> None:
    """Values in databases outlive this code: this one was sealed by its first version."""
    assert a_key().open(bytes.fromhex(SEALED_BY_VERSION_2), CELL) == b"Jane Quillfeather"
