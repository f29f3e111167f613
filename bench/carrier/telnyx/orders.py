"""What a command asks for: Telnyx docs, "Call commands" (read 2026-11).

That fields and values are known is the REST interface's to check; here it is seen whether a caller would hear
anything.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.carrier.errors import AnswerRejected
from bench.carrier.markup import socket_url
from bench.carrier.steps import ConnectStream, Hangup, Say, Step
from bench.carrier.telnyx.rules import ADDRESS, CODEC, MODE, STATE

_CODECS: Final = ("PCMU", "default")


@dataclass(frozen=True, slots=True)
class Command:
    """One that the REST interface has taken."""

    action: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def client_state(self) -> str | None:
        """What every webhook from now on brings back. Raises `AnswerRejected`."""
        state = self.fields.get("client_state")
        if state is None:
            return None
        try:
            base64.b64decode(state, validate=True)
        except (binascii.Error, ValueError):
            raise AnswerRejected(STATE, "client_state is not base64") from None
        return str(state)

    def steps(self) -> Sequence[Step]:
        """What is to be done; nothing by an `answer` without a stream. Raises `AnswerRejected`."""
        match self.action:
            case "answer" if "stream_url" not in self.fields:
                return ()
            case "answer" | "streaming_start":
                return (_stream(self.fields),)
            case "speak":
                return (Say(str(self.fields.get("payload", ""))),)
            case _:
                return (Hangup(),)


def _stream(fields: Mapping[str, Any]) -> ConnectStream:
    if fields.get("stream_bidirectional_mode", "mp3") != "rtp":
        raise AnswerRejected(MODE, "the stream is not asked for in rtp mode")
    if fields.get("stream_codec", "default") not in _CODECS:
        raise AnswerRejected(CODEC, f"stream_codec {fields['stream_codec']!r:.20}")
    if fields.get("stream_bidirectional_codec", "PCMU") != "PCMU":
        raise AnswerRejected(
            CODEC, f"stream_bidirectional_codec {fields['stream_bidirectional_codec']!r:.20}"
        )
    if str(fields.get("stream_bidirectional_sampling_rate", 8000)) != "8000":
        raise AnswerRejected(CODEC, "PCMU has 8000 samples a second")
    if fields.get("stream_track", "inbound_track") != "inbound_track":
        raise AnswerRejected(CODEC, f"stream_track {fields['stream_track']!r:.20}")
    return ConnectStream(
        url=socket_url(str(fields.get("stream_url", "")), malformed=ADDRESS, scheme=ADDRESS),
        parameters={each["name"]: each["value"] for each in fields.get("custom_parameters", ())},
        headers=_auth(fields.get("stream_auth_token")),
    )


def _auth(token: object) -> Mapping[str, str]:
    """As it is seen to arrive; Telnyx's text names no header."""
    return {} if token is None else {"x-telnyx-streaming-auth-token": str(token)}
