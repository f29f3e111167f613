"""What has to change so that a clinic which stands becomes the one declared. Pure: no database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar
from uuid import UUID, uuid4

from booking.clinic_state import Standing
from booking.declared import DeclaredClinic, DeclaredPractitioner, DeclaredService

Kind = Literal["org", "number", "service", "practitioner", "services", "hours", "calendar", "holiday"]
Verb = Literal["added", "changed", "withdrawn"]
_MARKS: Final[Mapping[Verb, str]] = {"added": "+", "changed": "~", "withdrawn": "-"}
_WORDS: Final = ("name", "time_zone", "greeting", "agent_name", "voice", "recording", "greets_by_name")
P = TypeVar("P", DeclaredService, DeclaredPractitioner)


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of a clinic that is new, different or given up.

    `id`: of the service, practitioner or holiday; the practitioner's too where the services on offer, hours
    or calendar are one's. `wanted`: what is to stand, None if nothing is.
    """

    verb: Verb
    kind: Kind
    name: str
    id: UUID | None = None
    wanted: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{_MARKS[self.verb]} {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class _Pair:
    """A practitioner as wanted, with an id, and as they stand if they do."""

    wanted: DeclaredPractitioner
    before: DeclaredPractitioner | None

    @property
    def id(self) -> UUID:
        return _known(self.wanted.id)


def changes_between(standing: Standing | None, wanted: DeclaredClinic) -> tuple[Change, ...]:
    """In an order in which they can be made: what others refer to comes first, and practitioners come by
    number, as whoever locks several of them must take them.
    """
    before = standing or Standing(_NOTHING)
    known = (*before.clinic.services, *before.former_services)
    services = [_recognised(each, known) for each in wanted.services]
    people = [_person(each, before) for each in wanted.practitioners]
    people.sort(key=lambda pair: (pair.id not in before.numbers, before.numbers.get(pair.id, 0)))
    wanted_ids = {each.name: _known(each.id) for each in services}
    standing_ids = {each.name: _known(each.id) for each in before.clinic.services}
    return (
        *_org(standing, wanted),
        *_numbers(before.clinic.numbers, wanted.numbers),
        *_services(before.clinic.services, services),
        *_practitioners(before.clinic.practitioners, people),
        *(change for pair in people for change in _of_practitioner(pair, standing_ids, wanted_ids)),
        *_holidays(before, wanted, {pair.wanted.name: pair.id for pair in people}),
    )


_NOTHING: Final = DeclaredClinic(name="", time_zone="", greeting="", agent_name="")


def _known(row_id: UUID | None) -> UUID:
    if row_id is None:
        raise ValueError("a row without an id")
    return row_id


def _recognised(wanted: P, known: Sequence[P]) -> P:
    """The same under the id of the row that it is: by id, else by name, else a new one."""
    ids = [each.id for each in known if each.id == wanted.id]
    ids += [each.id for each in known if each.name == wanted.name]
    return replace(wanted, id=next(iter(ids), wanted.id) or uuid4())


def _person(wanted: DeclaredPractitioner, before: Standing) -> _Pair:
    known = (*before.clinic.practitioners, *before.former_practitioners)
    person = _recognised(wanted, known)
    return _Pair(person, next((each for each in known if each.id == person.id), None))


def _org(standing: Standing | None, wanted: DeclaredClinic) -> Iterator[Change]:
    if standing is None:
        yield Change("added", "org", wanted.name, wanted=wanted)
    elif any(getattr(standing.clinic, word) != getattr(wanted, word) for word in _WORDS):
        yield Change("changed", "org", wanted.name, wanted=wanted)


def _numbers(before: Sequence[str], wanted: Sequence[str]) -> Iterator[Change]:
    yield from (Change("withdrawn", "number", number) for number in before if number not in wanted)
    yield from (
        Change("added", "number", number, wanted=n) for n, number in enumerate(wanted) if number not in before
    )


def _services(before: Sequence[DeclaredService], wanted: Sequence[DeclaredService]) -> Iterator[Change]:
    known = {each.id: each for each in before}
    kept = {each.id for each in wanted}
    for each in before:
        if each.id not in kept:
            yield Change("withdrawn", "service", each.name, each.id)
    for each in wanted:
        if each != known.get(each.id):
            verb: Verb = "changed" if each.id in known else "added"
            yield Change(verb, "service", each.name, each.id, each)


def _practitioners(before: Sequence[DeclaredPractitioner], wanted: Sequence[_Pair]) -> Iterator[Change]:
    names = {each.id: each.name for each in before}
    kept = {pair.id for pair in wanted}
    for each in before:
        if each.id not in kept:
            yield Change("withdrawn", "practitioner", each.name, each.id)
    for pair in wanted:
        if names.get(pair.id) != pair.wanted.name:
            verb: Verb = "changed" if pair.id in names else "added"
            yield Change(verb, "practitioner", pair.wanted.name, pair.id, pair.wanted)


def _of_practitioner(
    pair: _Pair, standing_ids: Mapping[str, UUID], wanted_ids: Mapping[str, UUID]
) -> Iterator[Change]:
    """What hangs on a practitioner; one who comes back has what they had."""
    wanted, before = pair.wanted, pair.before or DeclaredPractitioner(pair.wanted.name)
    if (wanted.hours, wanted.breaks) != (before.hours, before.breaks):
        verb: Verb = "changed" if before.hours else "added"
        yield Change(verb, "hours", wanted.name, pair.id, wanted)
    offered = _offered(wanted, wanted_ids)
    if offered != _offered(before, standing_ids):
        yield Change("changed", "services", wanted.name, pair.id, offered)
    if wanted.calendar_id != before.calendar_id:
        verb = "withdrawn" if wanted.calendar_id is None else "changed" if before.calendar_id else "added"
        yield Change(verb, "calendar", wanted.name, pair.id, wanted.calendar_id)


def _offered(practitioner: DeclaredPractitioner, ids: Mapping[str, UUID]) -> set[UUID] | None:
    return None if practitioner.services is None else {ids[name] for name in practitioner.services}


def _holidays(before: Standing, wanted: DeclaredClinic, people: Mapping[str, UUID]) -> Iterator[Change]:
    """Those that are over stay on record, whether they are declared any more or not."""
    standing = before.clinic.holidays
    for each in standing:
        if each not in wanted.holidays:
            yield Change("withdrawn", "holiday", _days(each.first_day, each.last_day), each.id)
    for each in wanted.holidays:
        if each not in standing and each not in before.past_holidays:
            person = None if each.practitioner is None else people[each.practitioner]
            yield Change("added", "holiday", _days(each.first_day, each.last_day), None, (each, person))


def _days(first: Any, last: Any) -> str:
    return f"{first}" if first == last else f"{first} to {last}"
