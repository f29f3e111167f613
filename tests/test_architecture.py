"""The arrows between the packages, as `pyproject.toml` draws them, and what keeps the layout readable."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "pipeline", "booking", "compliance", "bench")
DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


@pytest.fixture
def loggers_kept() -> Iterator[None]:
    """The linter sets logging up anew, which would switch off all loggers for the tests after it."""
    known = [each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(logger, logger.disabled) for logger in known]
    yield
    for logger, disabled in before:
        logger.disabled = disabled


@pytest.mark.usefixtures("loggers_kept")
def test_imports_follow_the_arrows(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_no_module_is_a_drawer() -> None:
    assert [path for path in sources() if path.stem in DRAWERS] == []


@pytest.mark.parametrize("package", ["pipeline", "booking", "compliance"])
def test_each_room_can_be_typed_by_who_uses_it_alone(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_environment_is_read_in_few_places() -> None:
    """By `gateway.settings`, by booking's two commands, and by the bench, which starts processes."""
    readers = {path.relative_to(ROOT).as_posix() for path in sources() if reads_environment(path)}
    outside = {reader for reader in readers if not reader.startswith("bench/")}
    assert outside <= {"gateway/settings/loading.py", "booking/owner.py"}


def reads_environment(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
