"""What reaches the log: one JSON line per event, declared keys, nothing that somebody said."""

import ast
import io
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway import logs

CANARY = "+442079460000"
ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "bind"}


class Lines(io.StringIO):
    def read_all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = Lines()
    logs.configure("info", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def fail(what: str) -> None:
    raise ValueError(what)


def test_event_is_one_json_line_with_its_keys(lines: Lines) -> None:
    structlog.get_logger("gateway.test").info("turn_finished", turn=3, ttfb_ms=412.0)
    (line,) = lines.read_all()
    assert (line["event"], line["turn"], line["ttfb_ms"], line["level"]) == (
        "turn_finished",
        3,
        412.0,
        "info",
    )
    assert "timestamp" in line


def test_undeclared_keys_are_dropped(lines: Lines) -> None:
    structlog.get_logger("gateway.test").info("call_opened", caller=CANARY, turn=1)
    (line,) = lines.read_all()
    assert "caller" not in line
    assert (line["turn"], line["fault"]) == (1, "undeclared_keys")


def test_foreign_records_give_their_template_alone(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").warning("refused %s from %s", "/x", CANARY)
    logging.getLogger("somebody").error("lost %s", CANARY)
    assert [line["event"] for line in lines.read_all()] == ["refused %s from %s", "lost %s"]


def test_a_foreign_traceback_gives_its_error_s_class_alone(lines: Lines) -> None:
    try:
        fail(CANARY + "\nDetail: " + CANARY)
    except ValueError:
        logging.getLogger("uvicorn.error").error(traceback.format_exc())
    logging.getLogger("somebody").error("first line\nsecond line")
    assert [line["event"] for line in lines.read_all()] == ["ValueError", "first line"]
    assert CANARY not in lines.getvalue()


def test_third_parties_are_heard_from_warnings_up(lines: Lines) -> None:
    logging.getLogger("twilio.async_http_client").info("Headers: %s", CANARY)
    assert lines.read_all() == []


def test_exception_is_told_without_its_words(lines: Lines) -> None:
    try:
        fail(CANARY)
    except ValueError as error:
        structlog.get_logger("gateway.test").error("call_failed", exc_info=error)
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    told = lines.read_all()
    assert CANARY not in lines.getvalue()
    assert [line["exception"].startswith("ValueError at test_logs.py") for line in told] == [True, True]


def test_group_is_told_by_its_first_leaf() -> None:
    assert (
        logs.describe(ExceptionGroup("x", [ExceptionGroup("y", [KeyError(CANARY)])])) == "KeyError at unknown"
    )


def keys_of(path: Path) -> set[str]:
    """The keys of this module's log lines."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS]
    logged = [call for call in named if ast.unparse(call.func).rpartition(".")[0] in ("log", "self._log")]
    return {each.arg for call in logged for each in call.keywords if each.arg} - {"exc_info"}


@pytest.mark.parametrize("package", ["gateway", "pipeline"])
def test_every_key_that_the_code_logs_is_declared(package: str) -> None:
    used = {key: path.name for path in (ROOT / package).rglob("*.py") for key in keys_of(path)}
    assert used
    assert {key: used[key] for key in used.keys() - logs.SAFE_KEYS} == {}
