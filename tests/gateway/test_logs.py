"""What reaches the log: one JSON line per event, declared keys, nothing that somebody said."""

import ast
import io
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
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


def test_a_message_that_was_filled_in_already_is_withheld(lines: Lines) -> None:
    logging.getLogger("somebody").error(f"lost {CANARY}")  # noqa: G004  as others do
    logging.getLogger("somebody").error("lost " + CANARY + " of %s", "x")  # noqa: G003
    told = lines.read_all()
    assert [line["event"] for line in told] == ["withheld", "withheld"]
    assert all(line["path"].startswith("test_logs.py:") for line in told)


@pytest.mark.parametrize(
    "value",
    ["my glaucoma", CANARY, CANARY[1:], "a@example.org", "it's", ["glaucoma"], {"said": "my glaucoma"}],
)
def test_what_is_no_word_of_ours_is_withheld_under_any_key(lines: Lines, value: object) -> None:
    structlog.get_logger("gateway.test").info("turn_finished", outcome=value, turn=3)
    (line,) = lines.read_all()
    assert line["turn"] == 3
    assert "glaucoma" not in str(line)
    assert CANARY[1:] not in str(line)
    assert line["outcome"] in ("withheld", {"said": "withheld"})


def test_a_sentence_is_redacted(lines: Lines) -> None:
    structlog.get_logger("gateway.test").info("database_refused", reason="no role for jane@example.org")
    assert lines.read_all()[0]["reason"] == "no role for [REDACTED: EMAIL]"


def test_an_event_with_words_in_it_is_withheld(lines: Lines) -> None:
    structlog.get_logger("gateway.test").info("said %s", CANARY)
    assert lines.read_all()[0]["event"] == "withheld"


def test_a_record_that_cannot_be_written_does_not_show_its_arguments(lines: Lines) -> None:
    class Unwritable:
        def __str__(self) -> str:
            raise ValueError(CANARY)

    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, logs.OneLineHandler)]
    handler.handle(logging.LogRecord("somebody", logging.ERROR, __file__, 1, "%s", (Unwritable(),), None))
    assert lines.getvalue() == '{"event": "log_failed", "error": "ValueError"}\n'
    assert CANARY not in lines.getvalue()


def let_through(_logger: Any, _method: str, event: Any) -> Any:
    """In place of a guard: what it would keep back is written."""
    error = event.pop("exc_info", None)
    return event if error is None else {**event, "exception": repr(error)}


def key_undeclared() -> None:
    structlog.get_logger("gateway.test").info("call_opened", caller=CANARY[1:4] + "x" + CANARY[4:])


def value_unfit() -> None:
    structlog.get_logger("gateway.test").info("call_opened", outcome=CANARY)


def error_quoting() -> None:
    try:
        fail(CANARY)
    except ValueError as error:
        structlog.get_logger("gateway.test").error("call_failed", exc_info=error)


def foreign_record() -> None:
    logging.getLogger("somebody").error("lost %s", CANARY)


@pytest.mark.parametrize(
    ("guard", "leak"),
    [
        ("keep_declared", key_undeclared),
        ("withhold_unfit", value_unfit),
        ("tell_exception", error_quoting),
        ("_template_alone", foreign_record),
    ],
)
@pytest.mark.parametrize("taken_away", [False, True])
def test_each_guard_of_the_log_is_needed(
    monkeypatch: pytest.MonkeyPatch, guard: str, leak: Callable[[], None], taken_away: bool
) -> None:
    if taken_away:
        monkeypatch.setattr(logs, guard, let_through)
    root, stream = logging.getLogger(), Lines()
    handlers, level = root.handlers, root.level
    logs.configure("info", stream)
    try:
        leak()
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
    assert (CANARY[4:] in stream.getvalue()) == taken_away


ENDINGS = {
    "uncaught": "raise ValueError(CANARY)",
    "thread_failed": "t = threading.Thread(target=fail); t.start(); t.join()",
    "unraisable": "Held().__del__",
    "python_warning": "warnings.warn(CANARY)",
    "loop_fault": "asyncio.run(forgotten())",
    "group": "asyncio.run(grouped())",
}
_PROGRAM = """
import asyncio, gc, sys, threading, warnings
from gateway import logs
CANARY = sys.argv[1]
def fail():
    local = CANARY
    raise ValueError(CANARY)
class Held:
    def __del__(self):
        raise ValueError(CANARY)
async def forgotten():
    asyncio.get_running_loop().set_exception_handler(logs.loop_fault)
    asyncio.get_running_loop().call_soon(fail)
    async def task():
        fail()
    running = asyncio.create_task(task(), name=CANARY)
    await asyncio.sleep(0.01)
    del running
    gc.collect()
async def grouped():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(fail))
logs.configure("debug")
{guard}
{ending}
"""


def ended(ending: str, guard: str = "logs.guard_process()") -> str:
    """All that a process writes that ends so. The canary is given to it, so that its source has none."""
    program = _PROGRAM.format(guard=guard, ending=ENDINGS[ending])
    ran = subprocess.run(
        [sys.executable, "-c", program, CANARY], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("ending", ENDINGS)
def test_whatever_troubles_a_process_is_told_without_its_words(ending: str) -> None:
    told = ended(ending)
    assert CANARY not in told
    assert ("uncaught" if ending == "group" else ending) in [
        json.loads(line)["event"] for line in told.splitlines()
    ]


@pytest.mark.parametrize("ending", ["uncaught", "thread_failed", "unraisable", "python_warning"])
def test_without_the_guard_that_would_be_seen(ending: str) -> None:
    assert CANARY in ended(ending, guard="")


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
