import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import BlobMalformed, KeyUnknown, MasterKeyInvalid, SealBroken, VaultError
from compliance.vault import Cell, MasterKey, Vault

KEY = MasterKey(bytes(range(32)))
ORG = UUID("6f1e6a0e-0000-4000-8000-000000000001")
CELL = Cell("org_credentials", "sealed", "deepgram")
SEALED_BY_VERSION_1 = "018e63c9f79d23e31dff51cdd0f242c201790edd61f4af3b460c39652e370b09fc6231184d6a5b823e5a"


def vault(*keys: MasterKey) -> Vault:
    return Vault(keys or (KEY,))


@given(st.binary(max_size=300))
def test_opens_what_it_sealed(plain: bytes) -> None:
    org = vault().for_org(ORG)
    assert org.open(org.seal(plain, CELL), CELL) == plain


def test_the_same_value_seals_differently_each_time_and_shows_nothing_of_itself() -> None:
    org = vault().for_org(ORG)
    first, second = org.seal(b"secret-value", CELL), org.seal(b"secret-value", CELL)
    assert first != second
    assert b"secret-value" not in first + second


@pytest.mark.parametrize(
    "elsewhere",
    [
        Cell("contacts", "sealed", "deepgram"),
        Cell("org_credentials", "other", "deepgram"),
        Cell("org_credentials", "sealed", "cartesia"),
        Cell("org_credentialss", "ealed", "deepgram"),
    ],
)
def test_a_blob_moved_to_another_cell_does_not_open(elsewhere: Cell) -> None:
    org = vault().for_org(ORG)
    with pytest.raises(SealBroken):
        org.open(org.seal(b"secret", CELL), elsewhere)


def test_a_blob_of_one_org_does_not_open_for_another() -> None:
    keys = vault()
    with pytest.raises(SealBroken):
        keys.for_org(uuid4()).open(keys.for_org(ORG).seal(b"secret", CELL), CELL)


def test_every_flipped_bit_is_an_error() -> None:
    org = vault().for_org(ORG)
    blob = org.seal(b"secret", CELL)
    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultError):
            org.open(bytes(flipped), CELL)


def test_every_shortened_blob_is_an_error() -> None:
    org = vault().for_org(ORG)
    blob = org.seal(b"secret", CELL)
    for length in range(len(blob)):
        with pytest.raises((BlobMalformed, SealBroken)):
            org.open(blob[:length], CELL)


def test_a_blob_under_a_key_that_is_not_configured_names_that_key() -> None:
    other = MasterKey.generate()
    blob = vault(other).for_org(ORG).seal(b"secret", CELL)
    with pytest.raises(KeyUnknown) as caught:
        vault().for_org(ORG).open(blob, CELL)
    assert caught.value.key_id == other.id.hex()


def test_after_rotation_old_blobs_open_and_new_ones_use_the_new_key() -> None:
    new = MasterKey.generate()
    old_blob = vault().for_org(ORG).seal(b"secret", CELL)
    rotated = vault(new, KEY).for_org(ORG)
    assert rotated.open(old_blob, CELL) == b"secret"
    assert vault(new).for_org(ORG).open(rotated.seal(b"secret", CELL), CELL) == b"secret"


def test_a_phone_digest_is_stable_within_an_org_and_tells_nothing_across_orgs() -> None:
    keys = vault()
    number = "+442079460958"
    digest = keys.for_org(ORG).phone_digest(number)
    assert len(digest) == 32
    assert digest == vault().for_org(ORG).phone_digest(number)
    assert digest != keys.for_org(ORG).phone_digest("+442079460959")
    assert digest != keys.for_org(uuid4()).phone_digest(number)


def test_after_rotation_a_number_is_found_by_its_old_digest_too() -> None:
    new = MasterKey.generate()
    rotated = vault(new, KEY).for_org(ORG)
    assert rotated.phone_digests("+442079460958")[1] == vault().for_org(ORG).phone_digest("+442079460958")


@pytest.mark.parametrize(
    "text",
    ["", "x", "é", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), "*" * 44],
)
def test_a_master_key_that_is_not_32_bytes_of_base64_is_refused(text: str) -> None:
    with pytest.raises(MasterKeyInvalid):
        MasterKey.from_base64(text)


def test_a_master_key_is_read_from_base64_and_never_shown() -> None:
    text = base64.b64encode(bytes(range(32))).decode()
    key = MasterKey.from_base64(f" {text}\n")
    assert key.id == KEY.id
    assert text not in repr(key)
    assert repr(key) == f"MasterKey({key.id.hex()})"


def test_a_vault_without_keys_is_refused() -> None:
    with pytest.raises(MasterKeyInvalid):
        Vault(())


def test_sealing_agrees_with_the_written_format() -> None:
    """Blobs in databases outlive this code: this one was sealed by its first version."""
    blob = bytes.fromhex(SEALED_BY_VERSION_1)
    assert vault().for_org(ORG).open(blob, CELL) == b"dg-secret"
