"""What keeps a reply that was begun on a guess from showing before its turn is committed.

Behind a closed gate the reply is made as ever, but nothing of it leaves: audio is held, records and
redactions wait in order, no effect begins, the history is a draft. Opening the gate lets all of it go at
once; a gate that is given up leaves no trace.
"""

import asyncio
from collections.abc import Callable


class Gate:
    """Opened or given up once. Of an ordinary reply it stands open from the start."""

    def __init__(self, *, is_open: bool = True) -> None:
        self._open = asyncio.Event()
        self._waiting: list[Callable[[], None]] = []
        self._to_undo: list[Callable[[], None]] = []
        if is_open:
            self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def then(self, act: Callable[[], None]) -> None:
        """Do it now or, behind a closed gate, when that opens; in the order given."""
        if self.is_open:
            act()
        else:
            self._waiting.append(act)

    def open(self) -> None:
        """The turn is committed."""
        waiting, self._waiting = self._waiting, []
        self._to_undo.clear()
        self._open.set()
        for act in waiting:
            act()

    def otherwise(self, act: Callable[[], None]) -> None:
        """Do it if the gate is given up closed; last first."""
        if not self.is_open:
            self._to_undo.append(act)

    def give_up(self) -> None:
        """The guess was wrong. Nothing changes if the gate is open already."""
        undo, self._to_undo = self._to_undo, []
        self._waiting.clear()
        for act in reversed(undo):
            act()

    async def opened(self) -> None:
        """Returns once the gate is open."""
        await self._open.wait()
