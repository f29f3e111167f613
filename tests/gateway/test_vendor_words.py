"""What models and vendors make up is not shown; what our own adapters tell is."""

import ast
from pathlib import Path

import pytest

from gateway.vendor_words import fault_name, in_closed_words
from pipeline.events import ProviderFailed, ToolFinished

PIPELINE = Path(__file__).parents[2] / "pipeline"
ERRORS = {"ProviderRefused", "ProviderStalled", "ProviderDropped"}


def literals() -> set[str]:
    """The faults that the adapters name, as they stand in the source."""
    calls = [
        node
        for path in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS
    ]
    named = [node for call in calls for node in ast.walk(call.args[1]) if isinstance(node, ast.Constant)]
    numbered = [call.args[1] for call in calls if isinstance(call.args[1], ast.JoinedStr)]
    parts = {id(part) for joined in numbered for part in ast.walk(joined)}
    return {str(node.value) for node in named if id(node) not in parts and str(node.value)}


def test_every_fault_of_our_adapters_is_known() -> None:
    found = literals()
    assert len(found) > 15
    assert {fault for fault in found if fault_name(fault) != fault} == set()


@pytest.mark.parametrize("fault", ["http_400", "status_503", "closed_1011"])
def test_numbered_faults_are_told(fault: str) -> None:
    assert fault_name(fault) == fault


@pytest.mark.parametrize("fault", ["glaucoma", "http_07700900123", "closed_glaucoma", ""])
def test_a_vendor_s_word_is_other(fault: str) -> None:
    event = in_closed_words(ProviderFailed(1, "tts", fault, "retried"))
    assert isinstance(event, ProviderFailed)
    assert event.fault == "other"


def test_a_tool_that_the_model_made_up_is_unknown() -> None:
    made_up = ToolFinished(turn=1, name="book_quillfeather", outcome="unknown_tool", duration_ms=1.0)
    event = in_closed_words(made_up)
    assert isinstance(event, ToolFinished)
    assert event.name == "unknown"
