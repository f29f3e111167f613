"""What stands in Redis under a look-up's key."""

import pytest

from gateway.tenancy.shelf import Shelved, changed, put_up, take_down


@pytest.mark.parametrize("value", [b"", b"\x00", b"C" * 17, bytes(1000)])
def test_what_is_put_up_is_taken_down(value: bytes) -> None:
    assert take_down(put_up(Shelved(value, 1_790_000_000.25))) == Shelved(value, 1_790_000_000.25)


@pytest.mark.parametrize("raw", [None, b"", b"K", b"K1234567", b"nonsense", b"\x80", changed()], ids=range(7))
def test_anything_else_tells_nothing(raw: bytes | None) -> None:
    assert take_down(raw) is None


def test_no_two_changes_leave_the_same_mark() -> None:
    assert changed() != changed()
