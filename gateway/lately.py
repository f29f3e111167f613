"""What happened lately: keys that are remembered for a while and forgotten by themselves."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_MOST: Final = 4_096


class Lately(Generic[K]):
    """Keys, each until an instant of the caller's clock (seconds).

    Whoever adds a key drops those whose time is over, so that a process holds as many as came lately, not as
    many as ever came. Of more than 4,096 the oldest go first.
    """

    def __init__(self) -> None:
        self._until_s: OrderedDict[K, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until_s)

    def add(self, key: K, *, until_s: float, now_s: float) -> None:
        """Remember `key`; one that is known is remembered until then instead."""
        self._until_s[key] = until_s
        self._until_s.move_to_end(key)
        while self._until_s and (len(self._until_s) > _MOST or self._first_until_s() <= now_s):
            self._until_s.popitem(last=False)

    def holds(self, key: K, now_s: float) -> bool:
        """Whether it was added and its time is not over."""
        return self._until_s.get(key, now_s) > now_s

    def _first_until_s(self) -> float:
        return next(iter(self._until_s.values()))
