"""Both ends of a call, from the webhook to the media socket."""

from uuid import uuid4

import pytest

from compliance.vault import MasterKey, Vault
from gateway.caller import Ends, open_ends, seal_ends
from gateway.routes.forms import with_plus

CALLER, CLINIC, CALL = "+447700900123", "+442079460018", "CA" + "1" * 32


def test_they_come_back_for_their_own_org_and_call_alone() -> None:
    vault, org = Vault([MasterKey.generate()]), uuid4()
    sealed = seal_ends(vault, org, CALL, Ends(CALLER, CLINIC))
    assert open_ends(vault, org, CALL, sealed) == Ends(CALLER, CLINIC)
    assert open_ends(vault, uuid4(), CALL, sealed) == Ends()
    assert open_ends(vault, org, "CA" + "2" * 32, sealed) == Ends()
    assert open_ends(Vault([MasterKey.generate()]), org, CALL, sealed) == Ends()


def test_neither_number_can_be_read_on_the_way_or_in_a_repr() -> None:
    ends = Ends(CALLER, CLINIC)
    sealed = seal_ends(Vault([MasterKey.generate()]), uuid4(), CALL, ends)
    assert len(sealed) < 450  # a parameter's name and value: 500 at most
    assert CALLER[1:] not in sealed + repr(ends)
    assert CLINIC[1:] not in sealed + repr(ends)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "=" * 50, "A" * 600])
def test_what_was_not_sealed_tells_of_nobody(text: str) -> None:
    assert open_ends(Vault([MasterKey.generate()]), uuid4(), CALL, text) == Ends()


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "anonymous",
        "Restricted",
        "+266696687",
        "+7378742833",
        "+86282452253",
        "sip:x@example.org",
    ],
)
def test_a_withheld_number_is_none(shown: str) -> None:
    assert Ends.told(shown, CLINIC) == Ends(None, CLINIC)


def test_a_shown_number_is_taken() -> None:
    assert Ends.told(CALLER, "sip:clinic@example.org") == Ends(CALLER, "")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (CALLER[1:], CALLER),
        (CALLER, CALLER),
        ("123456", "123456"),
        ("1234567", "+1234567"),
        ("0" * 10, "0" * 10),
        ("1" * 16, "1" * 16),
        ("sip:x", "sip:x"),
        ("", ""),
    ],
)
def test_a_number_without_its_plus_gets_it_and_what_is_none_stays(told: str, shown: str) -> None:
    assert with_plus(told) == shown
