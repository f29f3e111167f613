"""What every carrier's codec is: the wire format of one stream, without I/O and without a clock.

A codec belongs to one socket and may remember what its carrier's rules ask of it: the stream's id, audio that
came out of order, the rest of a frame. `tests/contracts/test_carrier_codec.py` runs on all of them.
"""

from collections.abc import Sequence
from typing import Protocol

from gateway.carriers.events import CarrierAction, CarrierEvent

Message = str | bytes


class Codec(Protocol):
    """One stream, both ways."""

    @property
    def ends_by_close(self) -> bool:
        """Whether the carrier ends a stream in order by closing the socket, without a word before."""

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """The events of one message, none for one that means nothing to us.

        Raises `MalformedFrame`, `LateFrame`, `UnknownFrame`, `FrameObjected`; `ForeignFrame` for what names
        another stream than the one that introduced itself.
        """

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """The messages that make the carrier do `action`; none if there is nothing to be sent yet."""
