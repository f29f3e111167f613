"""The checker finds fault with histories that no order explains, and with no others."""

import pytest

from tests.proofs.linearizable import (
    Appointment,
    CallReleased,
    Cancelled,
    Claimed,
    CodeChecked,
    CodeStored,
    Confirmed,
    Live,
    Moved,
    Operation,
    Released,
    Rules,
    State,
    What,
    linearizable,
)

RULES = Rules({"a": frozenset("ab"), "b": frozenset("ab"), "c": frozenset("c")})
A1, A2 = Claimed("a", "one", "h1"), Claimed("a", "two", "h2")
NONE = State()
CODE, WRONG = 1, 2


def live(slot: str = "a", call: str = "one", hold: str = "h1", **more: object) -> State:
    return State(frozenset({Live(slot, call, hold, **more)}))  # type: ignore[arg-type]


HELD = live()
SENT = live(code=CODE, codes=1).with_number("one", 1, 0)
PROVED = live(verified=True, codes=1).with_number("one", 1, 0)
MADE = Appointment("a", "one", "h1", "b1")
BOOKED = live(booked=True).with_appointments(set(), MADE).with_number("one", 1, 0)


def ended(status: str) -> Appointment:
    return Appointment("a", "one", "h1", "b1", status)  # type: ignore[arg-type]


def moved(new: str | None, hold: str | None) -> State:
    over = State(live("c", hold=hold, booked=True).live).with_number("one", 1, 0)  # type: ignore[arg-type]
    return over.with_appointments(
        set(), ended("rescheduled"), Appointment("c", "one", hold, new, replaces="b1")
    )


@pytest.mark.parametrize(
    ("before", "history", "observed", "explained"),
    [
        (NONE, [Operation(A1, 0, 1)], HELD, True),
        (NONE, [Operation(A1, 0, 1)], NONE, False),
        (NONE, [Operation(A1, 0, 2), Operation(A2, 1, 3)], HELD, False),
        (NONE, [Operation(A1, 0, 2), Operation(Claimed("b", "two"), 1, 3)], HELD, True),
        (NONE, [Operation(A1, 0, 2), Operation(Claimed("c", "two"), 1, 3)], HELD, False),
        (NONE, [Operation(A1, 2, 3), Operation(Claimed("a", "two"), 0, 1)], HELD, False),
        (
            HELD,
            [Operation(Released("h1", True), 0, 2), Operation(A2, 1, 3)],
            live(call="two", hold="h2"),
            True,
        ),
        (
            HELD,
            [Operation(Released("h1", True), 2, 3), Operation(A2, 0, 1)],
            live(call="two", hold="h2"),
            False,
        ),
        (HELD, [Operation(Released("h1", True), 0, 2), Operation(CallReleased("one", 1), 1, 3)], NONE, False),
        (HELD, [Operation(Released("h1", True), 0, 2), Operation(CallReleased("one", 0), 1, 3)], NONE, True),
        (HELD, [Operation(Claimed("a", "one", "h9"), 0, 1)], HELD, False),
        (NONE, [Operation(Claimed("a", "one"), 0, 1, answered=False)], NONE, True),
        (NONE, [Operation(Claimed("a", "one"), 0, 1, answered=False)], HELD, True),
        (HELD, [Operation(Claimed("c", "one"), 0, 1, answered=False)], live("c", hold="h3"), True),
        (HELD, [Operation(Claimed("c", "one"), 0, 1, answered=False)], NONE, False),
        (live(lapsed=True), [Operation(A2, 0, 1)], live(call="two", hold="h2"), True),
        (live(lapsed=True), [Operation(Released("h1", True), 0, 1)], NONE, False),
        (live(booked=True), [Operation(A2, 0, 1)], live(call="two", hold="h2"), False),
        (live(booked=True), [Operation(Claimed("b", "one", "h3"), 0, 1)], live("b", hold="h3"), False),
    ],
)
def test_a_history(before: State, history: list[Operation], observed: State, explained: bool) -> None:
    assert linearizable(RULES, before, history, observed) is explained


@pytest.mark.parametrize(
    ("before", "what", "observed", "explained"),
    [
        (HELD, CodeStored("h1", CODE, "stored"), SENT, True),
        (HELD, CodeStored("h1", CODE, "stored"), HELD, False),
        (NONE, CodeStored("h1", CODE, "stored"), NONE, False),
        (NONE, CodeStored("h1", CODE, "over"), NONE, True),
        (live(codes=4), CodeStored("h1", CODE, "limited"), live(codes=4), True),
        (live(failures=5), CodeStored("h1", CODE, "stored"), live(code=CODE, failures=5, codes=1), False),
        (SENT, CodeChecked("h1", CODE, "verified"), PROVED, True),
        (SENT, CodeChecked("h1", WRONG, "verified"), PROVED, False),
        (SENT, CodeChecked("h1", WRONG, "wrong"), SENT, False),
        (PROVED, CodeChecked("h1", CODE, "expired"), PROVED, True),
        (PROVED, CodeChecked("h1", CODE, "verified"), PROVED, False),
        (PROVED, Confirmed("h1", "one", "booked", "b1"), BOOKED, True),
        (PROVED, Confirmed("h1", "one", "booked", "b1"), live(booked=True).with_number("one", 1, 0), False),
        (SENT, Confirmed("h1", "one", "booked", "b1"), BOOKED, False),
        (SENT, Confirmed("h1", "one", "unverified"), SENT, True),
        (PROVED, Confirmed("h1", "two", "booked", "b1"), BOOKED, False),
        (PROVED, Confirmed("h1", "two", "unverified"), PROVED, True),
        (BOOKED, Confirmed("h1", "one", "booked", "b1"), BOOKED, True),
        (BOOKED, Confirmed("h1", "one", "booked", "b2"), BOOKED, False),
        (
            BOOKED,
            Cancelled("b1", "cancelled"),
            State(frozenset(), frozenset({ended("cancelled")}), BOOKED.numbers),
            True,
        ),
        (BOOKED, Cancelled("b1", "cancelled"), BOOKED, False),
        (BOOKED, Cancelled("b1", "over"), BOOKED, False),
        (BOOKED, Moved("b1", "c", "one", "booked", "b2", "h2"), moved("b2", "h2"), True),
        (BOOKED, Moved("b1", "c", "one", "booked", "b2", "h2"), moved("b3", "h2"), False),
        (BOOKED, Moved("b1", "c", "one", "taken"), BOOKED, False),
        (BOOKED, Moved("b1", "b", "one", "taken"), BOOKED, False),
    ],
)
def test_what_one_operation_does(before: State, what: What, observed: State, explained: bool) -> None:
    assert linearizable(RULES, before, [Operation(what, 0, 1)], observed) is explained


@pytest.mark.parametrize(
    ("before", "what", "observed"),
    [
        (PROVED, Confirmed("h1", "one"), BOOKED),
        (PROVED, Confirmed("h1", "one"), PROVED),
        (BOOKED, Moved("b1", "c", "one"), moved("b2", "h2")),
        (BOOKED, Moved("b1", "c", "one"), BOOKED),
    ],
)
def test_what_was_cut_off_may_have_been_done_or_not(before: State, what: What, observed: State) -> None:
    assert linearizable(RULES, before, [Operation(what, 0, 1, answered=False)], observed)
