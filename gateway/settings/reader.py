"""Reading the environment: each name that is asked for is remembered, each fault collected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from gateway.settings.parsers import boolean, is_url, or_zero, positive

T = TypeVar("T")
CAN_BE_OFF: Final = frozenset({"max_fillers", "keepalive_s"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One name of the environment; `default` is None where a value must be given."""

    name: str
    default: str | None
    secret: bool


class Reader:
    """Reads the environment, remembers each name asked for, collects the faults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []
        self.variables: list[Variable] = []

    def text(self, name: str, default: str | None = None, *, secret: bool = False) -> str:
        """The value without surrounding space; an empty one counts as absent."""
        self.variables.append(Variable(name, default, secret))
        value = self._environ.get(name, "").strip()
        if not value and default is None:
            self.faults.append(f"{name} is missing")
        return value or default or ""

    def parsed(self, name: str, default: str | None, parse: Callable[[str], T], must: str, instead: T) -> T:
        """The value as `parse` makes it, or `instead` with a fault "NAME must …", which `must` completes."""
        text = self.text(name, default)
        if not text:
            return instead
        try:
            return parse(text)
        except ValueError:
            self.faults.append(f"{name} must {must}, not {text!r}")
            return instead

    def switch(self, name: str, *, default: bool) -> bool:
        """On or off."""
        return self.parsed(name, "true" if default else "false", boolean, "be true or false", default)

    def url(self, name: str, default: str | None, schemes: tuple[str, ...], *, secret: bool = False) -> str:
        """A URL without trailing slash. Secret ones (they hold passwords) are never repeated in a fault."""
        text = self.text(name, default, secret=secret).rstrip("/")
        if text and not is_url(text, schemes):
            shown = "" if secret else f", not {text!r}"
            self.faults.append(f"{name} must be a URL ({', '.join(schemes)}){shown}")
        return text

    def numbers(self, names_and_defaults: Mapping[str, float], prefix: str = "") -> dict[str, Any]:
        """One positive number per field, of the default's own type; or 0 where that switches it off."""
        found: dict[str, Any] = {}
        for name, default in names_and_defaults.items():
            kind = int if isinstance(default, int) else float
            number = "a positive whole number" if kind is int else "a positive number"
            must, parse = f"be {number}", positive(kind)
            if name in CAN_BE_OFF:
                must, parse = f"be 0 or {number}", or_zero(kind)
            text = str(default) if kind is int else f"{default:g}"
            found[name] = self.parsed(prefix + name.upper(), text, parse, must, default)
        return found


def defaults_of(kind: type[Any]) -> dict[str, float]:
    """The fields of a dataclass of numbers, and what they are unless set."""
    defaults = kind()
    return {each.name: getattr(defaults, each.name) for each in fields(kind)}
