"""What becomes of texts that were cut in the middle of a character."""

import msgspec
import pytest

from gateway.vapi.wire_json import anything


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (rb'"fine \ud83d"', "fine \ufffd"),
        (rb'"\ude00 fine"', "\ufffd fine"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\uD83D\uDE00 \u00e9"', "\U0001f600 é"),
        (rb'"\ud83d \\ud83d \\\ud83d \n"', "\ufffd \\ud83d \\\ufffd \n"),
        (b'"\xff\xc3\xa9"', "\ufffdé"),
        ('"half \ud83d"', "half ?"),
        (rb'{"\ud83d": [1, {"a": "\ud83d"}]}', {"\ufffd": [1, {"a": "\ufffd"}]}),
    ],
)
def test_half_a_character_is_read_as_one_that_is_not_known(told: bytes | str, read: object) -> None:
    assert anything(told) == read


@pytest.mark.parametrize(
    "told", [b"", b"{", rb'"\ud83', rb'"\ud83d', b'"\x01"', rb'{"a": \ud83d}', b"nonsense"]
)
def test_what_is_no_json_stays_none(told: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        anything(told)
