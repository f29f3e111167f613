"""Documents that answer a call at Vonage: an NCCO, a list of actions as JSON.

Vonage docs, "NCCO reference" and "WebSockets" (read 2026-11). What we put into an endpoint's headers comes
back in the socket's first frame and in the events of its leg. With `eventType: synchronous` the answer to the
event that tells of a lost socket may be a new NCCO; without one the call ends with the last action.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.carriers.vonage import CONTENT_TYPE

MEDIA_TYPE: Final = "application/json"
MOST_HEADER_BYTES: Final = 512

_encode: Final = msgspec.json.Encoder().encode


def connect_stream(media_url: str, *, event_url: str, dialled: str, headers: Mapping[str, str]) -> str:
    """Both directions of the call's audio to `media_url`, whose upgrade Vonage is to sign. `dialled`: the
    clinic's number without its plus, "" if not known.

    Raises ValueError if the headers are more than Vonage takes.
    """
    size = len(_encode(headers))
    if size > MOST_HEADER_BYTES:
        raise ValueError(f"Vonage takes {MOST_HEADER_BYTES} bytes of headers, not {size}")
    endpoint = {
        "type": "websocket",
        "uri": media_url,
        "content-type": CONTENT_TYPE,
        "headers": headers,
        "authorization": {"type": "vonage"},
    }
    events = {"eventType": "synchronous", "eventUrl": [event_url], "eventMethod": "POST"}
    shown = {"from": dialled} if dialled else {}
    return _ncco({"action": "connect", **shown, **events, "endpoint": [endpoint]})


def say_and_hang_up(sentence: str, *, language: str = "en-GB") -> str:
    """The carrier's own voice says one sentence, then the call ends."""
    return _ncco({"action": "talk", "text": sentence, "language": language})


def hang_up() -> str:
    """The call ends: there is nothing to do in it."""
    return _ncco()


def _ncco(*actions: Mapping[str, Any]) -> str:
    return _encode(actions).decode()
