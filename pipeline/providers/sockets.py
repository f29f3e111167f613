"""Opening a vendor's WebSocket: one TLS context for the process, no compression, refusals as our errors.

permessage-deflate more than doubles the cost of receiving audio (base64 of noise-like bytes) and buys nothing
on short messages, so it is never offered. The TLS context is built once: loading the CA bundle takes tens of
milliseconds of the event loop, which no call may pay.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from pipeline.errors import ProviderDropped, ProviderRefused, ProviderStalled

_WS_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HTTP_SCHEMES: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_MAX_MESSAGE_BYTES: Final = 4 * 2**20
_WRITE_LIMIT_BYTES: Final = 2**20
_PING_EVERY_S: Final = 5.0
_PONG_WITHIN_S: Final = 5.0


def websocket_url(base: str, path: str) -> str:
    """`base` (http, https, ws or wss) with `path` appended, as a WebSocket URL. ValueError for another
    scheme.
    """
    return _with_scheme(base, path, _WS_SCHEMES)


def http_url(base: str, path: str = "") -> str:
    """The same for HTTP."""
    return _with_scheme(base, path, _HTTP_SCHEMES)


def _with_scheme(base: str, path: str, schemes: Mapping[str, str]) -> str:
    parts = urlsplit(base)
    if parts.scheme not in schemes or not parts.netloc:
        raise ValueError("a provider URL must be http, https, ws or wss and name a host")
    return urlunsplit((schemes[parts.scheme], parts.netloc, parts.path.rstrip("/") + path, "", ""))


@cache
def tls_context() -> ssl.SSLContext:
    """The process's client context; the first call reads the CA bundle, so make it at start-up."""
    return ssl.create_default_context()


async def open_socket(
    provider: Literal["stt", "llm", "tts"],
    url: str,
    headers: Mapping[str, str],
    *,
    open_s: float,
    close_s: float,
) -> ClientConnection:
    """An open socket, pinged every 5 s, and lost if it has not answered 5 s later.

    Of the vendor's answers raises `ProviderRefused` (`http_401`; a retry can help after 408, 429 and 5xx),
    `ProviderStalled` past `open_s`, `ProviderDropped` if nobody answers.
    """
    try:
        return await connect(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=open_s,
            close_timeout=close_s,
            ping_interval=_PING_EVERY_S,
            ping_timeout=_PONG_WITHIN_S,
            max_size=_MAX_MESSAGE_BYTES,
            write_limit=_WRITE_LIMIT_BYTES,
            ssl=tls_context() if url.startswith("wss:") else None,
        )
    except InvalidStatus as refusal:
        status = refusal.response.status_code
        raise ProviderRefused(provider, f"http_{status}", retryable=can_retry_status(status)) from None
    except TimeoutError:
        raise ProviderStalled(provider, "open_timeout", retryable=True) from None
    except (OSError, EOFError, InvalidHandshake):
        raise ProviderDropped(provider, "unreachable", retryable=True) from None


def can_retry_status(status: int) -> bool:
    """Whether the same request may work later: over limit, or the vendor's own fault."""
    return status in (408, 425, 429) or status >= 500
