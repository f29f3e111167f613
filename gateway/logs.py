"""One JSON line per event on stderr, through structlog, ours and everybody else's. It is the only way out for
what goes wrong in a process: crashes, warnings and faults of the event loop come here too.

Nothing personal gets out. Only declared keys are written, and in them words, numbers and instants; sentences
of ours are redacted first. A foreign record gives its message as far as that stands in the source that logged
it, without the arguments. An exception is told by its class and frames, without its text, which may quote a
value, and without locals. What does not fit is withheld, never the line.
"""

import asyncio
import faulthandler
import logging
import re
import resource
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from compliance.redaction import redact

log = structlog.get_logger("gateway.process")

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
        "wasted_characters",
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
        "profile",
        "p95_ms",
    }
)
# Words that were redacted where they were spoken, and what this module itself has made fit to be shown.
_AS_THEY_ARE: Final = frozenset({"text", "heard", "exception", "level", "timestamp", "logger"})
WITHHELD: Final = "withheld"
_EVENT: Final = re.compile(r"[a-z][a-z0-9_]{1,60}")
_WORD: Final = re.compile(r"(?![0-9]{7,}\Z)[A-Za-z0-9_\[/][A-Za-z0-9_.:/+\[\]-]{0,199}")
_SENTENCES: Final = frozenset({"reason", "error"})
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
    handler = OneLineHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_template_alone, structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                tell_exception,
                keep_declared,
                withhold_unfit,
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


def guard_process() -> None:
    """Have whatever ends or troubles this process told here, and leave no image of its memory behind."""
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda unraisable: log.error("unraisable", exc_info=unraisable.exc_value)
    threading.excepthook = lambda thread: log.error("thread_failed", exc_info=thread.exc_value)
    warnings.showwarning = _warned
    faulthandler.enable()  # frames alone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def loop_fault(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """For `loop.set_exception_handler`: the default one writes tasks and futures with what they hold."""
    error = context.get("exception")
    log.error("loop_fault", exc_info=error if isinstance(error, BaseException) else None)


def _uncaught(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log.critical("uncaught", exc_info=error)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    log.warning("python_warning", error=category.__name__, path=f"{_last_part(filename)}:{lineno}")


class OneLineHandler(logging.StreamHandler[TextIO]):
    """Of a record that cannot be written it tells the error's class; the default shows its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name that logging calls
        error = sys.exc_info()[0]
        self.stream.write(f'{{"event": "log_failed", "error": "{error.__name__ if error else ""}"}}\n')


def keep_declared(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop each key that is not declared safe, and say that something was dropped."""
    strangers = event.keys() - SAFE_KEYS
    for key in strangers:
        del event[key]
    if strangers:
        event["count"] = len(strangers)
        event["fault"] = "undeclared_keys"
    return event


def withhold_unfit(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Each value is a measure, a word of ours, or words that were redacted; what is none is withheld."""
    if "logger" not in event and not _EVENT.fullmatch(str(event["event"])):
        event["event"] = WITHHELD
    for key in event.keys() - _AS_THEY_ARE - {"event"}:
        event[key] = _fit(key, event[key])
    return event


def _fit(key: str, value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case str() if key in _SENTENCES and " " in value:
            return redact(value)[:200]
        case str() if not value or _WORD.fullmatch(value):
            return value
        case Mapping():
            return {str(name): _fit("", each) for name, each in value.items() if _WORD.fullmatch(str(name))}
    return WITHHELD


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
    told = [f"{_last_part(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return " < ".join(reversed(told)) or "unknown"


def _template_alone(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record: logging.LogRecord | None = event.get("_record")
    if record is not None:
        event["event"] = _template(record.msg, record.pathname)
        event["path"] = f"{_last_part(record.pathname)}:{record.lineno}"
    return event


def _template(message: object, path: str) -> str:
    """One line of it, if it stands so in the source that logs it: else it may have been filled in already.

    Of a traceback the class of the error, since its text may quote a value.
    """
    if not isinstance(message, str):
        return type(message).__name__
    lines = message.strip().splitlines() or [""]
    _, header, frames = message.rpartition("Traceback (most recent call last):")
    if not header:
        return lines[0] if lines[0] in _source(path) else WITHHELD
    return next((found[0] for line in frames.splitlines() if (found := _RAISED.match(line))), "Traceback")


@lru_cache(maxsize=256)
def _source(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _last_part(path: str) -> str:
    return path.rsplit("/", 1)[-1]
