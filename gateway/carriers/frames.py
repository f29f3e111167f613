"""The parts that the frames of carriers have in common that speak JSON text."""

from typing import Annotated, Final, TypeVar

import msgspec

from gateway.carriers.codec import Message
from gateway.carriers.events import Dtmf
from gateway.errors import MalformedFrame

T = TypeVar("T")

DIGITS: Final = frozenset("0123456789*#")
Count = Annotated[int, msgspec.Meta(ge=0, lt=10**15)]


class MediaPart(msgspec.Struct, frozen=True, gc=False):
    """A piece of audio; msgspec decodes its base64 straight into `bytes`."""

    payload: bytes
    timestamp: Count = 0
    chunk: Count = 0
    track: str = "inbound"

    @property
    def is_heard(self) -> bool:
        """The caller's own and not empty: an empty chunk would end the recogniser's stream."""
        return self.track == "inbound" and bool(self.payload)


class DtmfPart(msgspec.Struct, frozen=True, gc=False):
    """A key of the keypad."""

    digit: str

    def event(self) -> Dtmf:
        """Raises `MalformedFrame` for what no keypad has."""
        if self.digit not in DIGITS:
            raise MalformedFrame("digit")
        return Dtmf(self.digit)


class MarkPart(msgspec.Struct, frozen=True, gc=False):
    """A mark that has been reached."""

    name: str


def parsed(decoder: "msgspec.json.Decoder[T]", message: Message) -> T:
    """The frame in a text message. Raises `MalformedFrame`."""
    if isinstance(message, bytes):
        raise MalformedFrame("binary", reason="binary")
    try:
        return decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise MalformedFrame("not a frame of the protocol") from None


def present(part: T | None) -> T:
    """Raises `MalformedFrame` for a frame without its own part."""
    if part is None:
        raise MalformedFrame("its own part is missing")
    return part
