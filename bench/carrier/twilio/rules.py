"""What Twilio does not put up with, by its own error numbers."""

from typing import Final

from bench.carrier.errors import Rule


def _page(code: int, says: str) -> Rule:
    return Rule(code, says, f"Twilio docs, error page {code} (read 2026-11)")


HTTP: Final = _page(11200, "a webhook is answered 200 with its document, or 2xx where none is asked for")
UNREADABLE: Final = _page(12100, "TwiML is well-formed XML with the root <Response>")
SCHEMA: Final = _page(12200, "TwiML keeps to its schema")
HANDSHAKE: Final = _page(31920, "the media socket's upgrade is answered 101; a stream's address has no query")
SCHEME: Final = _page(31922, "a stream's address is wss")
ADDRESS: Final = _page(31923, "a stream's address is well-formed")
SLOW_READER: Final = _page(31930, "the caller's audio is read as it comes")
QUEUE: Final = _page(31931, "at most ten minutes of audio are queued")
MESSAGE: Final = Rule(
    31951,
    "messages are JSON text with the stream's streamSid: media with base64 mu-law, mark with a name, clear",
    'Twilio docs, "Media Streams WebSocket messages" (read 2026-11)',
)
