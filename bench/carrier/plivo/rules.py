"""What Plivo does not put up with. It numbers none of it, so the short names are ours."""

from typing import Final

from bench.carrier.errors import Rule

_STREAM: Final = 'Plivo docs, "XML: Stream" (read 2026-11)'
_SOCKET: Final = 'Plivo docs, "Audio streaming" (read 2026-11)'

HTTP: Final = Rule(
    "webhook", "a webhook is answered 2xx, the answer address with XML", 'Plivo docs, "Voice: callbacks"'
)
UNREADABLE: Final = Rule("xml", "the answer is well-formed XML with the root <Response>", 'Plivo docs, "XML"')
SCHEMA: Final = Rule("schema", "elements and attributes are those of the reference", 'Plivo docs, "XML"')
ADDRESS: Final = Rule("stream-address", "a stream's address is wss and the element's text", _STREAM)
BOTH_WAYS: Final = Rule(
    "bidirectional",
    'audio is played on a stream with bidirectional="true" and the inbound track alone',
    _STREAM,
)
KEPT: Final = Rule(
    "keep-call-alive",
    'without keepCallAlive="true" the document runs on beside the stream, and the call ends with it',
    _STREAM,
)
CONTENT_TYPE: Final = Rule(
    "content-type", "audio is audio/x-l16;rate=8000 (the default), audio/x-l16;rate=16000 or mu-law", _STREAM
)
EXTRA_HEADERS: Final = Rule(
    "extra-headers", "at most 512 bytes of pairs key=value, of letters and digits alone", _STREAM
)
TIMEOUT: Final = Rule("stream-timeout", "streamTimeout is whole seconds", _STREAM)
HANDSHAKE: Final = Rule("upgrade", "the media socket's upgrade is answered 101", _SOCKET)
MESSAGE: Final = Rule(
    "message",
    "messages are JSON text: playAudio, checkpoint and clearAudio with the stream's streamId, sendDTMF",
    _SOCKET,
)
MEDIA: Final = Rule(
    "media",
    "playAudio has contentType, without rate, and sampleRate of the stream, and base64 audio",
    _SOCKET,
)
QUEUE: Final = Rule("queue", "audio is not queued without end", "ours: ten minutes; Plivo names no limit")
SLOW_READER: Final = Rule("dropped-stream", "40 s of the caller's audio are held for a slow reader", _SOCKET)
