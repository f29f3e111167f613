"""What Vonage does not put up with. It numbers none of it, so the short names are ours."""

from typing import Final

from bench.carrier.errors import Rule

_NCCO: Final = 'Vonage docs, "NCCO reference: connect" (read 2026-11)'
_SOCKET: Final = 'Vonage docs, "WebSockets" guide (read 2026-11)'

HTTP: Final = Rule(
    "webhook",
    "the answer address answers 200 with application/json, an event address 2xx",
    'Vonage docs, "Webhook reference" (read 2026-11)',
)
UNREADABLE: Final = Rule("ncco", "the answer is a JSON list of actions", _NCCO)
SCHEMA: Final = Rule("ncco-schema", "actions have the fields and values of the reference", _NCCO)
NUMBER: Final = Rule("number", "numbers are E.164 without a plus", _NCCO)
ADDRESS: Final = Rule("websocket-uri", "a WebSocket endpoint's uri is wss", _NCCO)
CONTENT_TYPE: Final = Rule("content-type", "content-type is audio/l16;rate=8000, 16000 or 24000", _SOCKET)
HEADERS: Final = Rule("headers", "an endpoint's headers are a JSON object of at most 512 bytes", _NCCO)
HANDSHAKE: Final = Rule("upgrade", "the media socket's upgrade is answered 101", _SOCKET)
FRAME: Final = Rule("frame", "a binary message is exactly 20 ms of 16-bit PCM", _SOCKET)
MESSAGE: Final = Rule(
    "message", 'a text message is JSON: {"action":"clear"}, or notify with an object as payload', _SOCKET
)
QUEUE: Final = Rule(
    "buffer",
    "audio in front of playing is held in a bounded buffer: 3072 frames, 1024 by the older text, taken here",
    _SOCKET,
)
SLOW_READER: Final = Rule("slow-reader", "the caller's audio is read as it comes", "ours: the socket is full")
