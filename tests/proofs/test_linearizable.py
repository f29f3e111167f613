"""The checker finds fault with histories that no order explains, and with no others."""

import pytest

from tests.proofs.linearizable import CallReleased, Claimed, Live, Operation, Released, Rules, linearizable

RULES = Rules({"a": frozenset("ab"), "b": frozenset("ab"), "c": frozenset("c")})
A1, A2 = Claimed("a", "one", "h1"), Claimed("a", "two", "h2")
HELD = frozenset({Live("a", "one", "h1")})
NONE = frozenset[Live]()


@pytest.mark.parametrize(
    ("before", "history", "observed", "explained"),
    [
        (NONE, [Operation(A1, 0, 1)], HELD, True),
        (NONE, [Operation(A1, 0, 1)], NONE, False),
        (NONE, [Operation(A1, 0, 2), Operation(A2, 1, 3)], HELD, False),
        (NONE, [Operation(A1, 0, 2), Operation(Claimed("b", "two"), 1, 3)], HELD, True),
        (NONE, [Operation(A1, 0, 2), Operation(Claimed("c", "two"), 1, 3)], HELD, False),
        (NONE, [Operation(A1, 2, 3), Operation(Claimed("a", "two"), 0, 1)], HELD, False),
        (HELD, [Operation(Released("h1", True), 0, 2), Operation(A2, 1, 3)], {Live("a", "two", "h2")}, True),
        (HELD, [Operation(Released("h1", True), 2, 3), Operation(A2, 0, 1)], {Live("a", "two", "h2")}, False),
        (HELD, [Operation(Released("h1", True), 0, 2), Operation(CallReleased("one", 1), 1, 3)], NONE, False),
        (HELD, [Operation(Released("h1", True), 0, 2), Operation(CallReleased("one", 0), 1, 3)], NONE, True),
        (HELD, [Operation(Claimed("a", "one", "h9"), 0, 1)], HELD, False),
        (NONE, [Operation(Claimed("a", "one"), 0, 1, answered=False)], NONE, True),
        (NONE, [Operation(Claimed("a", "one"), 0, 1, answered=False)], HELD, True),
        (HELD, [Operation(Claimed("c", "one"), 0, 1, answered=False)], {Live("c", "one", "h3")}, True),
        (HELD, [Operation(Claimed("c", "one"), 0, 1, answered=False)], NONE, False),
    ],
)
def test_a_history(
    before: frozenset[Live], history: list[Operation], observed: set[Live], explained: bool
) -> None:
    assert linearizable(RULES, before, history, frozenset(observed)) is explained
