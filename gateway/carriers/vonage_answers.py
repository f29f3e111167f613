"""Documents that answer a call at Vonage: an NCCO, a list of actions as JSON.

Vonage docs, "NCCO reference" and "WebSockets" (read 2026-11). What we put into an endpoint's headers comes
back in the socket's first frame and in the events of its leg. With `eventType: synchronous` the answer to the
event that tells of a lost socket, or of a person who does not answer, may be a new NCCO; so may the answer to
a `notify`. Without one the call ends with the last action. `onAnswer` is what somebody hears who has picked
up, before the caller is joined to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.carriers.vonage import CONTENT_TYPE

MEDIA_TYPE: Final = "application/json"
MOST_HEADER_BYTES: Final = 512

MOST_CONNECTED_S: Final = 7200

Action = Mapping[str, Any]
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Dialling:
    """A person who is dialled. `number` and `dialled` (the clinic's, shown to them, "" if not known) without
    plus; `whisper_url`: what they hear alone; `over_url`: what becomes of their leg; `next_url`: once that is
    over, and the caller is still there.
    """

    number: str = field(repr=False)
    dialled: str
    whisper_url: str
    over_url: str
    next_url: str
    ring_s: int
    longest_s: int


def connect_stream(
    media_url: str,
    *,
    event_url: str,
    left_url: str,
    dialled: str,
    headers: Mapping[str, str],
    longest_s: int,
) -> str:
    """Both directions of the call's audio to `media_url`, whose upgrade Vonage is to sign. `left_url`: is
    told if the call goes on behind the stream, with no other document; `dialled`: the clinic's number without
    its plus, "" if not known; `longest_s`: then Vonage itself ends the stream.

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
    limit = {"limit": min(longest_s, MOST_CONNECTED_S)}
    return _ncco({**_connect(endpoint, dialled, event_url), **limit}, _notify("left", left_url))


def put_through(sentence: str, person: Dialling) -> Sequence[Action]:
    """The caller hears a sentence, then the person's telephone ring."""
    endpoint = {"type": "phone", "number": person.number, "onAnswer": {"url": person.whisper_url}}
    dialling = {
        **_connect(endpoint, person.dialled, person.over_url),
        "timeout": person.ring_s,
        "limit": min(person.longest_s, MOST_CONNECTED_S),
    }
    return say(sentence), dialling, _notify("over", person.next_url)


def announce(sentence: str, *, joined_url: str) -> str:
    """To whoever has picked up, alone; `joined_url` is told when they have heard it and are joined."""
    return _ncco(say(sentence), _notify("joined", joined_url))


def say(sentence: str, *, language: str = "en-GB") -> Action:
    """The carrier's own voice says one sentence."""
    return {"action": "talk", "text": sentence, "language": language}


def say_and_hang_up(sentence: str) -> str:
    """The call ends with it."""
    return _ncco(say(sentence))


def hang_up() -> str:
    """The call ends: there is nothing to do in it."""
    return _ncco()


def _connect(endpoint: Mapping[str, Any], dialled: str, event_url: str) -> dict[str, Any]:
    events = {"eventType": "synchronous", "eventUrl": [event_url], "eventMethod": "POST"}
    shown = {"from": dialled} if dialled else {}
    return {"action": "connect", **shown, **events, "endpoint": [endpoint]}


def _notify(what: str, url: str) -> Action:
    return {"action": "notify", "payload": {"told": what}, "eventUrl": [url], "eventMethod": "POST"}


def _ncco(*actions: Action) -> str:
    return _encode(actions).decode()
