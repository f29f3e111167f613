"""One JSON line per event on stderr, through structlog, ours and everybody else's.

Nothing personal gets out: only declared keys are written, a foreign record gives its message template
without the arguments, and an exception is told by its class and frames without its text, which may quote
a value.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

# Every key that a log line may have: ids, short names and measures. Redacted words go by `text` and `heard`.
SAFE_KEYS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "exception",
        "call",
        "org",
        "stream",
        "carrier",
        "turn",
        "reason",
        "outcome",
        "fault",
        "provider",
        "action",
        "tool",
        "kind",
        "text",
        "heard",
        "starts",
        "expires",
        "name",
        "attempt",
        "code",
        "status",
        "url",
        "port",
        "host",
        "ttfb_ms",
        "overhead_ms",
        "duration_ms",
        "clear_ms",
        "stages_ms",
        "speculated",
        "wasted_tokens",
        "wait_s",
        "turns",
        "frames",
        "garbage",
        "calls",
        "count",
        "released",
        "replayed_ms",
        "opened",
        "cache",
        "path",
        "model",
        "error",
        "position",
        "hash",
    }
)
_FRAMES_SHOWN: Final = 8
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")  # how the line begins that names a traceback's error


def configure(level: str, stream: TextIO = sys.stderr) -> None:
    """Send all logging of the process through one handler. Third parties are heard from warnings up."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_template_alone, structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                tell_exception,
                keep_declared,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("gateway").setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)


def keep_declared(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop each key that is not declared safe, and say that something was dropped."""
    strangers = event.keys() - SAFE_KEYS
    for key in strangers:
        del event[key]
    if strangers:
        event["count"] = len(strangers)
        event["fault"] = "undeclared_keys"
    return event


def tell_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`exc_info` becomes the class and where it came from; groups are told by their first leaf."""
    told = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> str:
    """`Class at file:line function < …`, innermost first; never the message."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__} at {_where(error.__traceback__)}"


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-_FRAMES_SHOWN:]
    told = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return " < ".join(reversed(told)) or "unknown"


def _template_alone(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record: logging.LogRecord | None = event.get("_record")
    if record is not None:
        event["event"] = _template(record.msg)
    return event


def _template(message: object) -> str:
    """One line of it; of a traceback the class of the error, since its text may quote a value."""
    if not isinstance(message, str):
        return type(message).__name__
    lines = message.strip().splitlines() or [""]
    _, header, frames = message.rpartition("Traceback (most recent call last):")
    if not header:
        return lines[0]
    return next((found[0] for line in frames.splitlines() if (found := _RAISED.match(line))), "Traceback")
