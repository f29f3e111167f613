"""Two rankings become one by their places."""

from uuid import UUID

import pytest

from booking.knowledge import FoundPassage
from gateway.knowledge.fusion import fuse


def ranking(names: str, *, score: float = 1.0) -> list[FoundPassage]:
    """A passage for each letter, best first."""
    return [FoundPassage(UUID(int=ord(name)), "a", "", name, score) for name in names]


@pytest.mark.parametrize(
    ("words", "meaning", "fused"),
    [
        ("", "", ""),
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("ab", "cd", "acbd"),
        ("abc", "cba", "acb"),
        ("abcd", "d", "dabc"),
        ("ab", "b", "ba"),
        ("abcde", "fghie", "eafbg"),
    ],
)
def test_what_both_find_stands_before_what_one_finds(words: str, meaning: str, fused: str) -> None:
    found = fuse(ranking(words), ranking(meaning), limit=5)
    assert "".join(each.body for each in found) == fused


def test_no_more_than_asked_for_and_as_the_first_ranking_has_it() -> None:
    found = fuse(ranking("ab", score=7.0), ranking("bc", score=0.4), limit=2)
    assert [(each.body, each.score) for each in found] == [("b", 7.0), ("a", 7.0)]
