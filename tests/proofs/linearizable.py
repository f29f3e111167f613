"""A small checker of histories: is there an order of the operations that explains every answer?

The search of Wing and Gong: any operation may come first whose call was not preceded by another's answer. One
that was cut off (its answer never came) may have taken effect or not.

What each operation does when it is alone is `Rules.apply`: the functions' contract, written a second time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Call, SlotName, HoldId, BookingId, Code = str, str, str, str, int

CODES_PER_HOLD, FAILURES_PER_HOLD = 4, 5
CODES_PER_NUMBER, FAILURES_PER_NUMBER = 10, 15


@dataclass(frozen=True, slots=True)
class Live:
    """A hold that is held or booked. `hold` is None where only an operation that was cut off knows its id.

    `lapsed`: its time is over and nobody has flipped it. Of a booked one codes are of no more interest.
    """

    slot: SlotName
    call: Call
    hold: HoldId | None = None
    booked: bool = False
    lapsed: bool = False
    code: Code | None = None
    verified: bool = False
    codes: int = 0
    failures: int = 0

    def as_booked(self) -> "Live":
        return Live(self.slot, self.call, self.hold, booked=True)


@dataclass(frozen=True, slots=True)
class Appointment:
    """`id` and `hold` are None where only an operation that was cut off knows them. `patient`: the call for
    whose number it was confirmed, whoever moved it since.
    """

    slot: SlotName
    patient: Call
    hold: HoldId | None = None
    id: BookingId | None = None
    status: Literal["booked", "cancelled", "rescheduled"] = "booked"
    replaces: BookingId | None = None


@dataclass(frozen=True, slots=True)
class State:
    """`numbers`: codes sent to and failures of a call's number. Each call has one of its own."""

    live: frozenset[Live] = frozenset()
    appointments: frozenset[Appointment] = frozenset()
    numbers: frozenset[tuple[Call, int, int]] = frozenset()

    def hold(self, hold: HoldId) -> Live | None:
        return next((live for live in self.live if live.hold == hold), None)

    def number(self, call: Call) -> tuple[int, int]:
        found = (counts for name, *counts in self.numbers if name == call)
        codes, failures = next(found, (0, 0))
        return codes, failures

    def with_live(self, gone: set[Live], *come: Live) -> "State":
        return replace(self, live=(self.live - gone).union(come))

    def with_appointments(self, gone: set[Appointment], *come: Appointment) -> "State":
        return replace(self, appointments=(self.appointments - gone).union(come))

    def with_number(self, call: Call, codes: int, failures: int) -> "State":
        others = {each for each in self.numbers if each[0] != call}
        return replace(self, numbers=frozenset({*others, (call, codes, failures)}))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim, and the id of the hold that it was told; None if it was refused."""

    slot: SlotName
    call: Call
    hold: HoldId | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """A hold given back by its id, and whether that was so."""

    hold: HoldId
    found: bool = False


@dataclass(frozen=True, slots=True)
class CallReleased:
    """All of a call's holds given back, and how many those were."""

    call: Call
    count: int = 0


@dataclass(frozen=True, slots=True)
class CodeStored:
    """A code for a hold, sent to its call's number."""

    hold: HoldId
    code: Code
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class CodeChecked:
    hold: HoldId
    code: Code
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A hold made an appointment of this call's number; `outcome` is `booked`, `over` or `unverified`."""

    hold: HoldId
    patient: Call
    outcome: str = ""
    booking: BookingId | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`outcome` is `cancelled` or `over`."""

    booking: BookingId
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """An appointment moved by a call; `outcome` is `booked` (the new one), `taken` or `over`."""

    booking: BookingId
    slot: SlotName
    call: Call
    outcome: str = ""
    new: BookingId | None = None
    hold: HoldId | None = None


What = Claimed | Released | CallReleased | CodeStored | CodeChecked | Confirmed | Cancelled | Moved


@dataclass(frozen=True, slots=True)
class Operation:
    """`end` is the answer's place in the history, `answered` false if none came."""

    what: What
    begin: int
    end: int
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """Which slots exclude which: each at least itself."""

    overlapping: Mapping[SlotName, frozenset[SlotName]]

    def apply(self, state: State, operation: Operation) -> State | None:
        """The state after the operation; None if its answer is not the one that the state demands."""
        after, agrees = self._outcome(state, operation.what)
        return after if agrees or not operation.answered else None

    def _outcome(self, state: State, what: What) -> tuple[State, bool]:
        match what:
            case Claimed():
                return self._claim(state, what)
            case Moved():
                return self._move(state, what)
            case _:
                return _ALONE[type(what)](state, what)

    def _claim(self, state: State, what: Claimed) -> tuple[State, bool]:
        for live in state.live:
            if (live.slot, live.call, live.lapsed) == (what.slot, what.call, False):
                named = replace(live, hold=live.hold or what.hold)
                return state.with_live({live}, named), what.hold == named.hold is not None
        if self._taken(state.live, what.slot, what.call):
            return state, what.hold is None
        gone = self._giving_way(state, what.slot, what.call)
        return state.with_live(gone, Live(what.slot, what.call, what.hold)), what.hold is not None

    def _taken(self, live: frozenset[Live], slot: SlotName, call: Call) -> bool:
        return any(
            each.slot in self.overlapping[slot] and (each.booked or (not each.lapsed and each.call != call))
            for each in live
        )

    def _giving_way(self, state: State, slot: SlotName, call: Call) -> set[Live]:
        """What the call holds, and what is held in vain where it wants to be."""
        over = self.overlapping[slot]
        held = {live for live in state.live if not live.booked}
        return {live for live in held if live.call == call or (live.lapsed and live.slot in over)}

    def _move(self, state: State, what: Moved) -> tuple[State, bool]:
        for each in state.appointments:
            again = each.slot == what.slot and each.status == "booked"
            if again and what.booking in (each.id, each.replaces):
                named = replace(each, id=each.id or what.new, hold=each.hold or what.hold)
                told = (what.outcome, what.new) == ("booked", named.id)
                return state.with_appointments({each}, named), told
        old = next(each for each in state.appointments if each.id == what.booking)
        if old.status != "booked":
            return state, what.outcome == "over"
        own = {live for live in state.live if live.hold == old.hold}
        if self._taken(state.live - own, what.slot, what.call):
            return state, what.outcome == "taken"
        gone = self._giving_way(state, what.slot, what.call) | own
        after = state.with_live(gone, Live(what.slot, what.call, what.hold, booked=True))
        new = Appointment(what.slot, old.patient, what.hold, what.new, replaces=old.id)
        return after.with_appointments(
            {old}, replace(old, status="rescheduled"), new
        ), what.outcome == "booked"


def _release(state: State, what: Released) -> tuple[State, bool]:
    gone = {each for each in state.live if each.hold == what.hold and not each.booked and not each.lapsed}
    return state.with_live(gone), what.found == bool(gone)


def _release_call(state: State, what: CallReleased) -> tuple[State, bool]:
    gone = {each for each in state.live if each.call == what.call and not each.booked}
    return state.with_live(gone), what.count == len(gone)


def _usable(state: State, hold: HoldId) -> Live | None:
    found = state.hold(hold)
    return found if found and not found.booked and not found.lapsed else None


def _store(state: State, what: CodeStored) -> tuple[State, bool]:
    live = _usable(state, what.hold)
    if live is None:
        return state, what.outcome == "over"
    codes, failures = state.number(live.call)
    if live.failures >= FAILURES_PER_HOLD or failures >= FAILURES_PER_NUMBER:
        return state, what.outcome == "locked"
    if live.codes >= CODES_PER_HOLD or codes >= CODES_PER_NUMBER:
        return state, what.outcome == "limited"
    sent = replace(live, code=what.code, verified=False, codes=live.codes + 1)
    return state.with_live({live}, sent).with_number(live.call, codes + 1, failures), what.outcome == "stored"


def _check(state: State, what: CodeChecked) -> tuple[State, bool]:
    live = _usable(state, what.hold)
    if live is None:
        return state, what.outcome == "over"
    codes, failures = state.number(live.call)
    left = FAILURES_PER_HOLD - live.failures
    if live.code is not None:
        left = min(left, FAILURES_PER_NUMBER - failures)
    if left <= 0:
        return state.with_live({live}, replace(live, code=None)), what.outcome == "locked"
    if live.code is None:
        return state, what.outcome == "expired"
    if live.code == what.code:
        used = replace(live, code=None, verified=True)
        return state.with_live({live}, used), what.outcome == "verified"
    wrong = replace(live, failures=live.failures + 1, code=live.code if left > 1 else None)
    after = state.with_live({live}, wrong).with_number(live.call, codes, failures + 1)
    return after, what.outcome == ("wrong" if left > 1 else "locked")


def _confirm(state: State, what: Confirmed) -> tuple[State, bool]:
    for each in state.appointments:
        if (each.hold, each.patient) == (what.hold, what.patient):
            named = replace(each, id=each.id or what.booking)
            told = (what.outcome, what.booking) == ("booked", named.id)
            return state.with_appointments({each}, named), told
    live = _usable(state, what.hold)
    if live is None:
        return state, what.outcome == "over"
    if not live.verified or live.call != what.patient:
        return state, what.outcome == "unverified"
    made = Appointment(live.slot, what.patient, live.hold, what.booking)
    after = state.with_live({live}, live.as_booked()).with_appointments(set(), made)
    return after, what.outcome == "booked"


def _cancel(state: State, what: Cancelled) -> tuple[State, bool]:
    old = next(each for each in state.appointments if each.id == what.booking)
    if old.status != "booked":
        return state, what.outcome == ("cancelled" if old.status == "cancelled" else "over")
    gone = {live for live in state.live if live.hold == old.hold}
    after = state.with_live(gone).with_appointments({old}, replace(old, status="cancelled"))
    return after, what.outcome == "cancelled"


_ALONE: Mapping[type, Callable[..., tuple[State, bool]]] = {
    Released: _release,
    CallReleased: _release_call,
    CodeStored: _store,
    CodeChecked: _check,
    Confirmed: _confirm,
    Cancelled: _cancel,
}


def ends(rules: Rules, state: State, history: Sequence[Operation]) -> Iterator[State]:
    """Each state that the history can end in by some order that explains all of its answers."""
    if not history:
        yield state
        return
    first_answer = min((each.end for each in history if each.answered), default=None)
    for number, operation in enumerate(history):
        rest = [*history[:number], *history[number + 1 :]]
        if number == 0 and not operation.answered:
            yield from ends(rules, state, rest)  # it never took effect
        if first_answer is not None and operation.begin > first_answer:
            continue
        after = rules.apply(state, operation)
        if after is not None:
            yield from ends(rules, after, rest)


def explains(state: State, observed: State) -> bool:
    """Whether the state is what was seen, where an unknown id may be any."""
    return _named(state, observed) == observed


def _named(state: State, observed: State) -> State:
    """The state with the ids that were seen in place of the unknown ones."""
    holds = {(live.slot, live.call, live.booked): live.hold for live in observed.live}
    live = {
        replace(each, hold=each.hold or holds.get((each.slot, each.call, each.booked))) for each in state.live
    }
    seen = {(each.slot, each.replaces, each.status): each for each in observed.appointments}
    appointments = set()
    for each in state.appointments:
        found = seen.get((each.slot, each.replaces, each.status), each)
        known = each.id is not None and each.hold is not None
        appointments.add(
            each if known else replace(each, id=each.id or found.id, hold=each.hold or found.hold)
        )
    return State(frozenset(live), frozenset(appointments), state.numbers)


def linearizable(rules: Rules, state: State, history: Sequence[Operation], observed: State) -> bool:
    return any(explains(end, observed) for end in ends(rules, state, history))
