"""Which calls are recorded, by whom: a recorder for each call, and the tasks that write what it takes down.

A call's recorder begins as soon as its consent allows, ends as soon as it does not, and begins anew if the
caller changes their mind; each time that is a recording of its own. Whether the clinic records sound at all
is asked of the database, beside the call: what was taken down meanwhile is dropped if it does not.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from booking.types import Claim
from gateway.recording.store import SoundStore
from gateway.recording.stretch import Stretch
from gateway.recording.tape import Tape
from gateway.recording.writer import Consents, StretchWriter, Studio
from pipeline.ports import Clock, Line

Writes = Callable[[Stretch], None]


class Consent(Consents, Protocol):
    """A call's consent, which tells when it changes."""

    def when_refused(self, forget: Callable[[], None]) -> None: ...

    def when_agreed(self, begin: Callable[[], None]) -> None: ...


class CallRecorder:
    """One call's. All of it returns at once."""

    def __init__(self, clock: Clock, most_s: float, writes: Writes) -> None:
        self._clock = clock
        self._most_s = most_s
        self._writes = writes
        self._stretch: Stretch | None = None
        self._is_over = False

    def begin(self) -> None:
        """From now on, unless it does already or the call is over."""
        if self._is_over or (self._stretch is not None and self._stretch.ended_at_s is None):
            return
        self._stretch = Stretch(Tape(self._clock.now_s()), self._most_s)
        self._writes(self._stretch)

    def forget(self) -> None:
        """The caller refuses: nothing of what is taken down here is kept."""
        if self._stretch is not None:
            self._stretch.drop(self._clock.now_s())
        self._stretch = None

    def end(self) -> None:
        """The call is over."""
        self._is_over = True
        if self._stretch is not None:
            self._stretch.end(self._clock.now_s())
        self._stretch = None

    def caller(self, mulaw: bytes, timestamp_ms: int) -> None:
        if (stretch := self._going_on) is not None:
            stretch.caller(mulaw, timestamp_ms, self._clock.now_s())

    def agent(self, mulaw: bytes) -> None:
        if (stretch := self._going_on) is not None:
            stretch.agent(mulaw, self._clock.now_s())

    def cleared(self) -> None:
        if (stretch := self._going_on) is not None:
            stretch.tape.cleared(self._clock.now_s())

    @property
    def _going_on(self) -> Stretch | None:
        stretch = self._stretch
        return None if stretch is None or stretch.ended_at_s is not None else stretch


class RecordedLine:
    """A line of which the recorder hears what is played. Satisfies `pipeline.ports.Line`."""

    def __init__(self, line: Line, recorder: CallRecorder) -> None:
        self._line = line
        self._recorder = recorder

    async def play(self, mulaw: bytes) -> None:
        self._recorder.agent(mulaw)
        await self._line.play(mulaw)

    async def mark(self, name: str) -> None:
        await self._line.mark(name)

    async def clear(self) -> None:
        self._recorder.cleared()
        await self._line.clear()

    async def hang_up(self, reason: str) -> None:
        await self._line.hang_up(reason)


class Recorders:
    """All calls' of this process; the tasks are in its group.

    What is not written within `close_s` of its closing is left to the sweep.
    """

    def __init__(self, studio: Studio, *, close_s: float) -> None:
        self._studio = studio
        self._close_s = close_s
        self._group = asyncio.TaskGroup()
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def store(self) -> SoundStore:
        """Where recordings lie."""
        return self._studio.store

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writing:
            await asyncio.wait(self._writing, timeout=self._close_s)
        for task in self._writing:
            task.cancel()
        await self._group.__aexit__(exc_type, exc, traceback)

    def recorder(self, claim: Claim, call_id: UUID, consent: Consent) -> CallRecorder:
        """Of this call, which follows its consent from now on."""

        def write(stretch: Stretch) -> None:
            writer = StretchWriter(self._studio, claim, call_id, consent, stretch)
            task = self._group.create_task(writer.run())
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

        made = CallRecorder(self._studio.clock, self._studio.settings.buffer_s, write)
        consent.when_refused(made.forget)
        consent.when_agreed(made.begin)
        if consent.keeps_sound:
            made.begin()
        return made
