"""Server-sent events of a chat completion, split by hand. Pure.

Of the SSE grammar only what the servers use (OpenAI, vLLM, Groq, OpenRouter, llama.cpp; read 2026-11): one
JSON object per `data:` line, with or without the space, LF or CRLF; comments and other fields are skipped.
"""

from typing import Final

DONE: Final = b"[DONE]"
MAX_LINE_BYTES: Final = 2**20


class LineTooLong(ValueError):
    """No server sends a line like this; the stream is not what it says it is."""


class SseLines:
    """Bytes in, in any cut; the payloads of complete `data:` lines out.

    >>> lines = SseLines()
    >>> lines.feed(b': PING\\n\\ndata: {"a"'), lines.feed(b':1}\\r\\n\\r\\ndata:[DONE]\\n')
    ([], [b'{"a":1}', b'[DONE]'])
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, block: bytes) -> list[bytes]:
        """Raises `LineTooLong`."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise LineTooLong
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]

    def flush(self) -> list[bytes]:
        """The last line, from a server that does not end it."""
        return self.feed(b"\n")
