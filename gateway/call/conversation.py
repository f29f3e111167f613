"""A call's conversation, from its first word to its record.

What a call holds when it ends is kept only if the call ended in order (goodbye, or the caller hung up) and a
turn was spoken to its end after the slot was held: then the caller knows. Any other end gives it back.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import structlog

from booking.calls import close_call
from booking.errors import BookingError
from gateway.call.assembly import Talk
from gateway.call.desk import Desk
from gateway.call.media import CALLER_HUNG_UP, Media, hear
from gateway.call.recollection import Recollection
from gateway.handover import TRANSFERRED
from gateway.tools import CallBooking
from pipeline.runner import CallOutcome

log = structlog.get_logger("gateway.call")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a call ended, and whether that was in order: our goodbye, or the caller's hanging up."""

    reason: str
    in_order: bool

    @classmethod
    def of(cls, outcome: CallOutcome, media: Media) -> Self:
        """What the conversation says; of an end on the line, the socket knows more."""
        if outcome.ended_by == "caller" and media.ended:
            return cls(media.ended, in_order=media.ended == CALLER_HUNG_UP)
        in_order = outcome.ended_by == "agent" or outcome.reason == CALLER_HUNG_UP
        return cls(outcome.reason, in_order)


class Conversation:
    """One call's, with its media, in `run`'s task."""

    def __init__(self, desk: Desk, media: Media, talk: Talk) -> None:
        self._desk = desk
        self._media = media
        self._runner = talk.runner
        self._booking = talk.booking
        self._kept = talk.kept
        self._is_over = False

    def line_closed(self, reason: str) -> None:
        """The carrier says by another way that the call is over."""
        if not self._is_over:
            self._runner.line_closed(reason)

    async def run(self) -> None:
        """To the end, which is recorded whatever happens. A fault ends it and is told, not raised."""
        desk = self._desk
        started_s = desk.clock.now_s()
        ending = Ending("cancelled", in_order=False)
        self._kept.journal.opened(self._booking.started_at.isoformat())
        try:
            with desk.metrics.calls_active.track_inprogress():
                ending = await self._hold()
            if self._booking.handover is not None and self._booking.handover.done:
                ending = Ending(TRANSFERRED, in_order=True)
                desk.recollections.keep(Recollection(self._runner.history, self._booking))
        except Exception as fault:
            ending = Ending("failed", in_order=False)
            log.error("conversation_failed", call=str(self._booking.call_id), exc_info=fault)
        finally:
            self._is_over = True
            await to_its_end(self._finish(ending))
            desk.metrics.calls.labels(ending.reason).inc()
            desk.metrics.call_seconds.observe(desk.clock.now_s() - started_s)

    async def _hold(self) -> Ending:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(hear(self._media, self._runner, self._kept.recorder))
            helpers = [
                reader,
                group.create_task(self._kept.consent.keep()),
                group.create_task(self._kept.journal.store_turns()),
                group.create_task(self._kept.records.keep()),
                group.create_task(self._kept.inquiry.keep()),
                group.create_task(self._kept.inquiry.keep_going()),
                group.create_task(_open_record(self._booking)),
            ]
            try:
                outcome = await self._runner.run()
                if outcome.ended_by == "caller":  # the socket may close before its last frames are read
                    await asyncio.wait({reader}, timeout=self._desk.settings.waits.media_close_s)
                return Ending.of(outcome, self._media)
            finally:
                for helper in helpers:
                    helper.cancel()

    async def _finish(self, ending: Ending) -> None:
        """Close the socket, write what is left of the record, give back what the caller was not told of.

        What is known of the caller stands before the call is closed: its follow-up begins with that.
        """
        desk, ended_at = self._desk, self._desk.now()
        if self._kept.recorder is not None:
            self._kept.recorder.end()
        keep = ending.in_order and (self._booking.accepted or ending.reason == TRANSFERRED)
        await self._media.line.close(1000 if ending.in_order else 1011, ending.reason)
        released = 0
        try:
            async with asyncio.timeout(desk.settings.waits.call_close_s):
                await self._booking.open()
                await self._flush()
                released = await close_call(
                    desk.pool,
                    self._booking.claim,
                    call_id=self._booking.call_id,
                    end_reason=ending.reason,
                    ended_at=ended_at,
                    keep_hold=keep,
                )
                if not keep:
                    released += await self._booking.release_earlier()
        except (BookingError, TimeoutError) as error:
            log.error("call_not_recorded", call=str(self._booking.call_id), error=type(error).__name__)
        outcome = self._booking.outcome if keep or self._booking.outcome == "booked" else "none"
        desk.metrics.values_unkept.inc(self._kept.records.unkept())
        desk.metrics.consents_unnoted.inc(self._kept.consent.unnoted())
        self._kept.journal.closed(ending.reason, outcome=outcome, released=released)

    async def _flush(self) -> None:
        """Time-boxed, so that a call whose words cannot be written is closed all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._desk.settings.waits.call_close_s / 2):
                await self._kept.journal.flush()
                await self._kept.inquiry.flush()
                await self._kept.records.flush()


async def _open_record(booking: CallBooking) -> None:
    """Put the call on record. If the database is away now, its first claim or its end tries again."""
    try:
        await booking.open()
    except BookingError as error:
        log.warning("call_not_opened", call=str(booking.call_id), error=type(error).__name__)


async def to_its_end(work: Coroutine[None, None, None]) -> None:
    """Await `work` even while being cancelled; it is bounded by its own limits."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as again:  # may come more than once: the server's stop after the call's
            cancelled = again
    task.result()
    if cancelled is not None:
        raise cancelled
