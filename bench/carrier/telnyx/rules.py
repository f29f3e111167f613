"""What Telnyx does not put up with: its own numbers where it has them, short names of ours elsewhere."""

from typing import Final

from bench.carrier.errors import Rule

_SOCKET: Final = 'Telnyx docs, "Media Streaming over WebSockets" (read 2026-11)'
_COMMANDS: Final = 'Telnyx docs, "Call commands: answer, streaming_start" (read 2026-11)'

HTTP: Final = Rule("webhook", "a webhook is answered 2xx", 'Telnyx docs, "Receiving webhooks" (read 2026-11)')
NO_ORDER: Final = Rule(
    "no-order", "a call waits for its order: nothing happens to it by a webhook's answer", _COMMANDS
)
MODE: Final = Rule("stream-mode", "raw audio is played in stream_bidirectional_mode rtp alone", _COMMANDS)
CODEC: Final = Rule("stream-codec", "the stream is PCMU, 8 kHz, both ways, of the inbound track", _COMMANDS)
ADDRESS: Final = Rule("stream-address", "stream_url is wss", _COMMANDS)
STATE: Final = Rule("client-state", "client_state is base64", _COMMANDS)
HANDSHAKE: Final = Rule("upgrade", "the media socket's upgrade is answered 101", _SOCKET)
MALFORMED: Final = Rule(100003, "messages are JSON text: media, mark with a name, clear", _SOCKET)
MEDIA: Final = Rule(100004, "a media payload is base64 of 20 ms to 30 s of audio", _SOCKET)
QUEUE: Final = Rule(100005, "audio is not queued without end", "ours: ten minutes; Telnyx names no limit")
SLOW_READER: Final = Rule("slow-reader", "the caller's audio is read as it comes", "ours: the socket is full")
