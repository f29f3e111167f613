"""The vault behind booking's port."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from booking.errors import SealUnreadable
from booking.ports import Place, Sealer
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer

ORG, OTHER_ORG = uuid4(), uuid4()
PLACE = Place("sms_messages", "sealed_body", "1")


@pytest.fixture
def sealer() -> Sealer:
    return VaultSealer(Vault([MasterKey.generate()]))


def test_a_sealed_value_opens_where_it_was_sealed(sealer: Sealer) -> None:
    assert sealer.open(ORG, sealer.seal(ORG, b"hello", PLACE), PLACE) == b"hello"


@pytest.mark.parametrize(
    ("org", "place"), [(OTHER_ORG, PLACE), (ORG, Place("sms_messages", "sealed_body", "2"))]
)
def test_a_moved_value_does_not(sealer: Sealer, org: UUID, place: Place) -> None:
    blob = sealer.seal(ORG, b"hello", PLACE)
    with pytest.raises(SealUnreadable):
        sealer.open(org, blob, place)


def test_digests_differ_by_org_and_purpose_and_find_under_an_older_key() -> None:
    old, new = MasterKey.generate(), MasterKey.generate()
    before, after = VaultSealer(Vault([old])), VaultSealer(Vault([new, old]))
    digest = before.digest(ORG, "phone", b"+447700900123")
    assert digest == before.vault.for_org(ORG).phone_digest("+447700900123")
    assert digest in after.digests(ORG, "phone", b"+447700900123")
    assert digest != after.digest(ORG, "phone", b"+447700900123")
    assert len({digest, before.digest(OTHER_ORG, "phone", b"+447700900123")}) == 2
    assert before.digest(ORG, "otp", b"+447700900123") != digest


def test_who_wraps_peoples_keys_is_chosen_in_one_place() -> None:
    """So that a key management service is put in there and nowhere is forgotten."""
    gateway = Path(__file__).parents[2] / "gateway"
    choosing = {
        path.name
        for path in gateway.rglob("*.py")
        if any(word in path.read_text() for word in ("Keyring(", "Keyring.of(", "VaultKeys("))
    }
    assert choosing == {"sealing.py"}
