"""A small checker of histories: is there an order of the operations that explains every answer?

The search of Wing and Gong: any operation may come first whose call was not preceded by another's answer. One
that was cut off (its answer never came) may have taken effect or not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Call, SlotName, HoldId = str, str, str


@dataclass(frozen=True, slots=True)
class Live:
    """A live hold. `hold` is None where only an operation that was cut off knows its id."""

    slot: SlotName
    call: Call
    hold: HoldId | None


State = frozenset[Live]


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


What = Claimed | Released | CallReleased


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
            case Released(hold, found):
                gone = {live for live in state if live.hold == hold}
                return state - gone, found == bool(gone)
            case CallReleased(call, count):
                gone = {live for live in state if live.call == call}
                return state - gone, count == len(gone)
            case Claimed():
                return self._claim(state, what)

    def _claim(self, state: State, what: Claimed) -> tuple[State, bool]:
        own = {live for live in state if live.call == what.call}
        for live in own:
            if live.slot == what.slot:
                return state, what.hold is not None and live.hold in (None, what.hold)
        if any(live.slot in self.overlapping[what.slot] for live in state - own):
            return state, what.hold is None
        return (state - own) | {Live(what.slot, what.call, what.hold)}, what.hold is not None


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
    unknown = {(live.slot, live.call) for live in state if live.hold is None}
    seen = {Live(o.slot, o.call, None) if (o.slot, o.call) in unknown else o for o in observed}
    return seen == state


def linearizable(rules: Rules, state: State, history: Sequence[Operation], observed: State) -> bool:
    return any(explains(end, observed) for end in ends(rules, state, history))
