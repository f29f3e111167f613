"""The live calls of one process: found by the carrier's id, counted, drained.

The tasks of all calls live in one group. A media socket that finds no expected call, because another replica
answered the webhook, starts its own.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from gateway.call import Call, Desk, FindOrg, Media
from gateway.caller import Ends

STREAM_REPLACED: Final = "stream_replaced"
"""Why a stream is ended whose call has come back by another one."""


class Calls:
    """The live calls of this process; an async context manager, whose end cuts those that are left.

    A carrier's call may be two of ours for a while: one is prepared while the stream of the other is being
    found dead.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calls: dict[str, Call] = {}
        self._heard: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group = asyncio.TaskGroup()
        self._attended = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, carrier_call_id: object) -> bool:
        return carrier_call_id in self._calls

    @property
    def is_full(self) -> bool:
        """Whether a new call would be one too many."""
        return len(self) >= self._desk.settings.limits.max_calls

    def expect(self, carrier: str, carrier_call_id: str, ends: Ends, *, rings: bool = False) -> Call:
        """The call of a webhook; asked again (the carrier repeats itself), the same one. `rings`: that is all
        it says, so one that is heard goes on; otherwise its stream is over.
        """
        call = self._calls.get(carrier_call_id)
        if call is None or (call.has_media and not rings):
            call = self._start(carrier, carrier_call_id, lambda: self._dialled_org(ends.dialled), ends)
        return call

    def expect_again(self, carrier: str, carrier_call_id: str, org_id: UUID, ends: Ends) -> Call:
        """The call whose media were lost and are asked for once more, or come to another replica."""
        call = self._calls.get(carrier_call_id)
        if call is None or call.has_media:
            call = self._start(carrier, carrier_call_id, lambda: _known(org_id), ends)
        return call

    def join(self, call: Call, media: Media) -> None:
        """The call's media have come. A carrier has one stream per call: one before it is over by that, even
        if its socket does not know yet.
        """
        before = self._heard.get(call.carrier_call_id)
        self._heard[call.carrier_call_id] = call
        call.join(media)
        if before is not None:
            before.line_closed(STREAM_REPLACED)

    def line_closed(self, carrier_call_id: str, reason: str) -> None:
        """The carrier told, by webhook, that this call is over."""
        for calls in (self._calls, self._heard):
            if (call := calls.get(carrier_call_id)) is not None:
                call.line_closed(reason)

    def org_of(self, carrier_call_id: str) -> UUID | None:
        """Whose live call of this process it is, None if that is not known."""
        call = self._calls.get(carrier_call_id) or self._heard.get(carrier_call_id)
        return None if call is None else call.org_id

    @contextmanager
    def attended(self) -> Iterator[None]:
        """While it lasts, a call that is carried elsewhere is served here: the process is not idle."""
        self._attended += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._attended -= 1
            self._rest()

    async def idle(self) -> None:
        """Wait until there is no call, nor any that is attended."""
        await self._idle.wait()

    async def drained(self, within_s: float) -> bool:
        """Take no new calls, and wait for the live ones. False if some were left when the time was over."""
        self.draining = True
        try:
            async with asyncio.timeout(within_s):
                await self.idle()
        except TimeoutError:
            return False
        return True

    def _start(self, carrier: str, carrier_call_id: str, find_org: FindOrg, ends: Ends) -> Call:
        call = Call(self._desk, carrier, carrier_call_id, find_org, ends)
        self._calls[carrier_call_id] = call
        task = self._group.create_task(call.run(), name=f"call {carrier_call_id}")
        self._tasks.add(task)
        self._idle.clear()
        task.add_done_callback(lambda done: self._ended(call, done))
        return call

    def _ended(self, call: Call, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        for calls in (self._calls, self._heard):
            if calls.get(call.carrier_call_id) is call:
                del calls[call.carrier_call_id]
        self._rest()

    def _rest(self) -> None:
        if not self._tasks and not self._attended:
            self._idle.set()

    async def _dialled_org(self, dialled: str) -> UUID | None:
        return await self._desk.numbers.get(dialled) or self._desk.settings.default_org


async def _known(org_id: UUID) -> UUID:
    return org_id
