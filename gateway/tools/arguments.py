"""The arguments of a tool's call, as models write them, and the schemas that say what they may be."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pipeline.errors import ToolArgumentError

T = TypeVar("T")
_LONGEST = 200


def schema(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A strict object: all of these and nothing else. What may be left out is null."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text_of(description: str) -> Mapping[str, Any]:
    return {"type": "string", "description": description}


def maybe_text_of(description: str) -> Mapping[str, Any]:
    return {"type": ["string", "null"], "description": description}


def flag_of(description: str) -> Mapping[str, Any]:
    return {"type": "boolean", "description": description}


def flag(arguments: Mapping[str, Any], name: str) -> bool:
    """Raises `ToolArgumentError` if it is neither true nor false."""
    value = arguments.get(name)
    if not isinstance(value, bool):
        raise ToolArgumentError(f"{name} must be true or false")
    return value


def given(arguments: Mapping[str, Any], name: str) -> str:
    """Raises `ToolArgumentError` if it is not given."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ToolArgumentError(f"{name} must be given")
    return _bounded(value.strip(), name)


def maybe(arguments: Mapping[str, Any], name: str) -> str | None:
    """The optional argument; models also write an absent one as "" or "null"."""
    value = arguments.get(name)
    if value is None or (isinstance(value, str) and value.strip() in ("", "null")):
        return None
    if not isinstance(value, str):
        raise ToolArgumentError(f"{name} must be text or null")
    return _bounded(value.strip(), name)


def parsed(arguments: Mapping[str, Any], name: str, parse: Callable[[str], T], form: str) -> T | None:
    """The optional argument, read by `parse`."""
    value = maybe(arguments, name)
    if value is None:
        return None
    try:
        return parse(value)
    except ValueError:
        raise ToolArgumentError(f"{name} must be {form} or null") from None


def _bounded(value: str, name: str) -> str:
    if len(value) > _LONGEST:
        raise ToolArgumentError(f"{name} is too long")
    return value
