"""Clinic files: YAML or TOML, by suffix. What they hold is `clinic_form.ClinicForm` and whose it is.

YAML's scalars are read as text and converted by the field that they stand in. YAML 1.1 would guess: `10:00`
would be six hundred, `no` false, and a telephone number would lose its plus sign.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

import msgspec
import yaml

from booking.clinic_form import ClinicForm, clinic_form, declared_clinic
from booking.declared import DeclaredClinic, require_sound
from booking.errors import ClinicInvalid

_NAMESPACE: Final = UUID("6f1d7c1e-3f0a-4f53-9d0e-2b8d5f1c7a44")
_MOST_BYTES: Final = 1_000_000
_YAML: Final = frozenset({".yaml", ".yml"})


class ClinicUnreadable(Exception):
    """The clinic's file makes no sense; the message is one line for whoever wrote it."""


class ClinicFileForm(ClinicForm, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`key` names the clinic for ever, and its ids follow from it; or `org` is the id of one that stands."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    org: UUID | None = None


@dataclass(frozen=True, slots=True)
class ClinicFile:
    """A clinic and its org's id."""

    org_id: UUID
    clinic: DeclaredClinic


def key_id(key: str, *path: str) -> UUID:
    """The id that a part of the clinic of this key always has."""
    return uuid5(_NAMESPACE, "\x1f".join((key, *path)))


def read_clinic(path: Path) -> ClinicFile:
    """The clinic that the file describes. Raises `ClinicUnreadable`."""
    try:
        found = _declared(_form(path))
        require_sound(found.clinic)
    except OSError as error:
        raise ClinicUnreadable(f"{path}: {error.strerror}") from None
    except (ClinicInvalid, _Unreadable) as fault:
        raise ClinicUnreadable(f"{path}: {fault}") from None
    return found


def written_clinic(found: ClinicFile) -> str:
    """The YAML that declares this clinic, by its org's id."""
    parts = {"org": str(found.org_id)} | msgspec.to_builtins(clinic_form(found.clinic))
    written: str = yaml.safe_dump(parts, sort_keys=False, allow_unicode=True, width=110)
    return written


def _declared(form: ClinicFileForm) -> ClinicFile:
    key = form.key
    if key is not None and form.org is None:
        clinic = declared_clinic(form, lambda kind, name: key_id(key, kind, name))
        return ClinicFile(key_id(key, "org"), clinic)
    if form.org is not None and key is None:
        return ClinicFile(form.org, declared_clinic(form))
    raise ClinicInvalid("key", "is missing (or `org` in its place), or both stand there")


class _Unreadable(Exception):
    """No YAML or TOML, or not of the form."""


def _form(path: Path) -> ClinicFileForm:
    content = path.read_bytes()
    if len(content) > _MOST_BYTES:
        raise _Unreadable(f"is larger than {_MOST_BYTES} bytes")
    if path.suffix in _YAML:
        return _converted(_from_yaml(content), strict=False)
    if path.suffix == ".toml":
        return _converted(_from_toml(content), strict=True)
    raise _Unreadable("is neither .yaml nor .toml")


def _converted(found: Any, *, strict: bool) -> ClinicFileForm:
    try:
        return msgspec.convert(found, ClinicFileForm, strict=strict)
    except msgspec.ValidationError as error:
        raise _Unreadable(_fault(str(error))) from None


def _fault(message: str) -> str:
    """msgspec's sentence, the place first: `services[0].minutes: Expected …`."""
    fault, _, place = message.rpartition(" - at `$")
    named = place.rstrip("`").lstrip(".")
    return f"{named}: {fault}" if fault and named else fault or message


def _from_toml(content: bytes) -> Any:
    try:
        return _with_times_written(msgspec.toml.decode(content))
    except (msgspec.DecodeError, ValueError) as error:
        raise _Unreadable(" ".join(str(error).split())) from None


def _with_times_written(found: Any) -> Any:
    """TOML has times of day, the form has them written. Seconds stay, and are refused."""
    match found:
        case dict():
            return {name: _with_times_written(each) for name, each in found.items()}
        case list():
            return [_with_times_written(each) for each in found]
        case time():
            return found.isoformat(timespec="auto" if found.second or found.microsecond else "minutes")
    return found


def _from_yaml(content: bytes) -> Any:
    try:
        return yaml.load(content, _TextLoader)  # noqa: S506  it makes text, lists and mappings alone
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _Unreadable(_yaml_fault(error)) from None


def _yaml_fault(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "is no YAML"
    return problem if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {problem}"


class _TextLoader(yaml.BaseLoader):  # type: ignore[misc]  # the library has no types
    """Reads every scalar as text, nothing (`null`, `~`, an empty one) as None; refuses a key given twice."""

    def construct_scalar(self, node: Any) -> str | None:
        text: str = super().construct_scalar(node)
        return None if node.style is None and text in ("", "~", "null") else text

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        if isinstance(node, yaml.MappingNode) and len(found) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return found


_TextLoader.add_constructor("tag:yaml.org,2002:str", _TextLoader.construct_scalar)
