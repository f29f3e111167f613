"""The conversation's settings, `pipeline.runner.ConversationSettings`, by the same names in capitals."""

from dataclasses import fields
from typing import Any, TypeGuard

from gateway.settings.parsers import SPECULATION_LEVELS, speculation
from gateway.settings.reader import Reader
from pipeline.runner import ConversationSettings, Phrase


def read_conversation(reader: Reader) -> dict[str, Any]:
    """The conversation's settings that are numbers or a choice, as the environment has them."""
    defaults = {each.name: each.default for each in fields(ConversationSettings)}
    chosen = reader.numbers({name: number for name, number in defaults.items() if _is_number(number)})
    default = str(defaults["speculation"])
    levels = f"be one of {', '.join(SPECULATION_LEVELS)}"
    chosen["speculation"] = reader.parsed("SPECULATION", default, speculation, levels, default)
    chosen["clause_streaming"] = reader.switch("CLAUSE_STREAMING", default=True)
    try:
        ConversationSettings(system_prompt="", greeting=Phrase(""), **chosen)
    except ValueError as fault:
        reader.faults.append(str(fault).upper())
    return chosen


def _is_number(default: object) -> TypeGuard[float]:
    return isinstance(default, int | float) and not isinstance(default, bool)
