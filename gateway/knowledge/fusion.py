"""One ranking out of several: reciprocal rank fusion. Pure.

Scores of a search by words and of one by meaning cannot be compared; places in their rankings can. A passage
counts 1 / (60 + its place) in each (Cormack, Clarke & Buettcher, SIGIR 2009, whose 60 it is), so that one
which both find stands before one which either finds alone at the same place.
"""

from collections.abc import Sequence
from typing import Final

from booking.knowledge import FoundPassage

_DAMPING: Final = 60


def fuse(*rankings: Sequence[FoundPassage], limit: int) -> list[FoundPassage]:
    """The best of all rankings; among equals those of an earlier ranking first.

    A passage is told as its first ranking has it, score included.
    """
    passages = {each.id: each for ranking in reversed(rankings) for each in ranking}
    worth = dict.fromkeys((each.id for ranking in rankings for each in ranking), 0.0)
    for ranking in rankings:
        for place, each in enumerate(ranking, start=1):
            worth[each.id] += 1 / (_DAMPING + place)
    best = sorted(worth, key=worth.__getitem__, reverse=True)
    return [passages[id_] for id_ in best[:limit]]
