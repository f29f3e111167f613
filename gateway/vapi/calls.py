"""Calls that Vapi carries, as this process works on them: their record, and our booking tools in them.

A tool's answer is the same however often Vapi asks for it: it stands with the call, under Vapi's id of the
tool call. Tools of one call are used one after the other, at whichever replica (`gateway.vapi.sharing`). One
that takes longer than Vapi is made to wait goes on, and its answer is there for whoever asks again.
"""

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid5

import structlog

from booking.db import org_transaction
from booking.errors import BookingError, ServiceUnknown
from booking.follow_up import note_asked
from booking.types import Claim, OrgProfile, Slot
from booking.vapi_calls import CARRIER, note_vapi_call
from compliance.consent import SpokenConsent, note_call_consent
from compliance.errors import VaultError
from gateway.call import Desk
from gateway.caller import Ends
from gateway.errors import CallBusy
from gateway.lately import Lately
from gateway.sealing import keyring
from gateway.tools import CallBooking
from gateway.tools.sentences import SENTENCES
from gateway.vapi.ends import keep_both
from gateway.vapi.messages import AskedTool, ToldCall
from gateway.vapi.sharing import Holding, Sharing, call_id_of
from gateway.vapi.state import GivenAnswer
from gateway.vapi.tool_uses import ToolUse
from gateway.vapi.tools import tool_asked_for
from pipeline.errors import ToolArgumentError
from pipeline.ports import Tool, ToolResult
from pipeline.toolbox import SAY

log = structlog.get_logger("gateway.vapi")

TOOL_S: Final = 20.0
"""One tool, as long as it may go on when nobody waits any more."""
_TURN_S: Final = 45.0
"""All tools of one request; shorter than the lease of their call."""
_SIGN_EVERY_S: Final = 60.0
# What would be another answer the next time is not remembered.
_PASSING: Final = frozenset({"unavailable", "texts_busy", "failed", "timed_out"})
_OLDEST_START: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class VapiCall:
    """One call, by org and Vapi's id. `started_at`: as Vapi tells it, else when we first heard of it."""

    org_id: UUID
    vapi_id: str
    ends: Ends
    started_at: datetime

    @classmethod
    def told(cls, org_id: UUID, told: ToldCall, now: datetime) -> Self:
        started = told.started_at
        is_likely = started is not None and now - _OLDEST_START <= started <= now
        return cls(org_id, told.vapi_id, told.ends, started if started and is_likely else now)

    @property
    def call_id(self) -> UUID:
        return call_id_of(self.org_id, self.vapi_id)

    @property
    def claim(self) -> Claim:
        return Claim(self.org_id)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What Vapi is told of one tool call: one line of text, and whether it is an error."""

    id: str
    name: str
    text: str = field(repr=False)
    failed: bool = False

    @classmethod
    def failure(cls, asked: AskedTool, reason: str, sentence: str) -> Self:
        """The tool was not used, or nobody knows."""
        told = json.dumps({"error": reason, "say": sentence}, ensure_ascii=False)
        return cls(asked.id, asked.name, told, failed=True)


_Key = tuple[UUID, tuple[str, ...]]
_Answering = asyncio.Task[list[ToolAnswer]]


class VapiCalls:
    """All such calls of this process; an async context manager, whose end cuts tools that are left."""

    def __init__(self, desk: Desk) -> None:
        self.sharing = Sharing(desk.pool, desk.vault)
        self._desk = desk
        self._tasks: set[_Answering] = set()
        self._notes: set[asyncio.Task[None]] = set()
        self._under_way: dict[_Key, _Answering] = {}
        self._signed: Lately[UUID] = Lately()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._tasks, *self._notes):
            task.cancel()
        await self._stack.__aexit__(kind, error, trace)

    async def heard_of(self, call: VapiCall, *, ask_after_s: float, is_over: bool = False) -> None:
        """Put it on record, and Vapi is not asked for it before then; seldom for what is chatty.

        `is_over`: Vapi has told that it has ended. Raises `BookingError`.
        """
        now_s = self._desk.clock.now_s()
        if not is_over and self._signed.holds(call.call_id, now_s):
            return
        opened = await note_vapi_call(
            self._desk.pool,
            call.claim,
            call_id=call.call_id,
            vapi_id=call.vapi_id,
            started_at=call.started_at,
            ask_after=timedelta(seconds=ask_after_s),
            is_over=is_over,
        )
        self._signed.add(call.call_id, until_s=now_s + _SIGN_EVERY_S, now_s=now_s)
        if opened:
            await self._opened(call)

    async def _opened(self, call: VapiCall) -> None:
        """It was not on record, anywhere."""
        log.info("call_opened", call=str(call.call_id), org=str(call.org_id), carrier=CARRIER)
        began = {"carrier_call_id": call.vapi_id, "started_at": call.started_at.isoformat()}
        self._emit(call, "CallOpened", began)
        await self._keep_ends(call)

    async def noted(self, call: VapiCall, *, ask_after_s: float, wait_s: float) -> None:
        """As `heard_of`, but that it goes on by itself if it takes longer, and its failure is none."""
        noting = self._group.create_task(self._noted(call, ask_after_s))
        self._notes.add(noting)
        noting.add_done_callback(self._notes.discard)
        await asyncio.wait({noting}, timeout=wait_s)

    async def _noted(self, call: VapiCall, ask_after_s: float) -> None:
        try:
            await self.heard_of(call, ask_after_s=ask_after_s)
        except BookingError as error:
            log.warning("vapi_call_not_noted", call=str(call.call_id), error=type(error).__name__)

    def closed(self, call: VapiCall, reason: str, outcome: str) -> None:
        """Say it to whoever watches the org's calls."""
        self._emit(call, "CallClosed", {"reason": reason, "outcome": outcome})

    def _emit(self, call: VapiCall, kind: str, told: Mapping[str, str]) -> None:
        head = {"type": kind, "call_id": str(call.call_id), "at_s": self._desk.clock.now_s()}
        self._desk.feed.publish(call.org_id, {**head, **told})

    async def _keep_ends(self, call: VapiCall) -> None:
        """From the beginning, so that whoever wants to be forgotten in the middle of the call is found."""
        try:
            async with org_transaction(self._desk.pool, call.claim) as connection:
                keys = keyring(self._desk.vault)
                await keep_both(connection, keys, call.org_id, call.call_id, call.ends)
        except (BookingError, VaultError) as error:  # its end keeps them again
            log.warning("vapi_ends_unkept", call=str(call.call_id), error=type(error).__name__)

    async def use(
        self, profile: OrgProfile, call: VapiCall, asked: Sequence[AskedTool], *, within_s: float
    ) -> list[ToolAnswer]:
        """An answer for each tool asked for, in order, within that time. Never raises but when cancelled."""
        key = (call.call_id, tuple(each.id for each in asked))
        task = self._under_way.get(key)
        if task is None:
            task = self._begun(key, self._used(profile, call, asked))
        done, _ = await asyncio.wait({task}, timeout=within_s)
        if done and not task.cancelled():
            return task.result()
        return [ToolAnswer.failure(each, "timed_out", SAY["timed_out"]) for each in asked]

    def _begun(self, key: _Key, work: Coroutine[Any, Any, list[ToolAnswer]]) -> _Answering:
        task = self._group.create_task(work)
        self._tasks.add(task)
        self._under_way[key] = task

        def over(done: _Answering) -> None:
            self._tasks.discard(done)
            if self._under_way.get(key) is done:
                del self._under_way[key]

        task.add_done_callback(over)
        return task

    async def _used(
        self, profile: OrgProfile, call: VapiCall, asked: Sequence[AskedTool]
    ) -> list[ToolAnswer]:
        try:
            await self.heard_of(call, ask_after_s=self._desk.settings.waits.vapi_silent_s)
            async with self.sharing.taken(call.claim, call.call_id, within_s=TOOL_S) as holding:
                async with asyncio.timeout(_TURN_S):
                    return await self._used_in_turn(profile, call, holding, asked)
        except TimeoutError:  # whatever was done by then is remembered
            return [ToolAnswer.failure(each, "timed_out", SAY["timed_out"]) for each in asked]
        except (BookingError, CallBusy) as error:
            log.warning("vapi_tools_failed", call=str(call.call_id), error=type(error).__name__)
            return [ToolAnswer.failure(each, "unavailable", SENTENCES["unavailable"]) for each in asked]
        except Exception as error:
            log.error("vapi_tools_failed", call=str(call.call_id), exc_info=error)
            return [ToolAnswer.failure(each, "failed", SENTENCES["failed"]) for each in asked]

    async def _used_in_turn(
        self, profile: OrgProfile, call: VapiCall, holding: Holding, asked: Sequence[AskedTool]
    ) -> list[ToolAnswer]:
        if holding.settled:
            return [ToolAnswer.failure(each, "call_over", SENTENCES["call_over"]) for each in asked]
        holding.state.meet(call.ends)
        turn = _Turn(self._desk, profile, call, holding)
        return [await turn.answer(each, is_last=each is asked[-1]) for each in asked]


@dataclass(slots=True)
class _Turn:
    """The tools of one call while it is ours."""

    desk: Desk
    profile: OrgProfile
    call: VapiCall
    holding: Holding
    refused: bool = False

    async def answer(self, asked: AskedTool, *, is_last: bool) -> ToolAnswer:
        """What was answered before, or what the tool says now, which is kept first. Raises `BookingError`.

        `is_last`: the call is left with it.
        """
        given = self.holding.state.answers.get(asked.id)
        if given is None:
            given = await self._used(asked)
            await self.holding.keep(leave=is_last)
        return ToolAnswer(asked.id, asked.name, given.text, given.failed)

    async def _used(self, asked: AskedTool) -> GivenAnswer:
        booking = self._booking()
        tool = await tool_asked_for(self.desk, booking, self.holding.state, asked, self._refuse)
        began_s = self.desk.clock.now_s()
        result, failed = await _run(tool, asked)
        if self.refused:
            await self._note_refusal()
        self._tell(asked.name if tool else "unknown", result, self.desk.clock.now_s() - began_s)
        state = self.holding.state
        await self._note_asked([slot for token, slot in booking.offers.items() if token not in state.offers])
        state.take_from(booking, self.desk.now())
        given = GivenAnswer(_one_line(result.content), failed)
        if asked.turn is not None:
            state.used(ToolUse(asked.turn, asked.name, json.dumps(asked.arguments or {}), given.text))
        if result.outcome not in _PASSING:
            state.answer(asked.id, given)
        return given

    def _booking(self) -> CallBooking:
        desk, call, waits = self.desk, self.call, self.desk.settings.waits
        booking = CallBooking(
            pool=desk.pool,
            claim=call.claim,
            call_id=call.call_id,
            carrier=CARRIER,
            carrier_call_id=call.vapi_id,
            profile=self.profile,
            verification=desk.texts.verification,
            hold_s=waits.hold_s,
            resend_s=waits.code_resend_s,
            started_at=call.started_at,
            now=desk.now,
            is_open=True,
        )
        self.holding.state.put_into(booking)
        return booking

    def _refuse(self) -> None:
        self.refused = True

    async def _note_asked(self, offered: Sequence[Slot]) -> None:
        """What times were looked for is asked about: the report, if it has words, may know better."""
        if offered:
            with suppress(ServiceUnknown):  # it is offered no more
                await note_asked(
                    self.desk.pool,
                    self.call.claim,
                    call_id=self.call.call_id,
                    service_id=offered[-1].service_id,
                )

    async def _note_refusal(self) -> None:
        """The caller refuses to be recorded: what is kept of the call's words goes, and no more is kept."""
        word = SpokenConsent(False, uuid5(self.call.call_id, "stop_recording"))
        async with org_transaction(self.desk.pool, self.call.claim) as connection:
            noted = await note_call_consent(connection, self.call.org_id, self.call.call_id, word)
        if noted:
            self.desk.metrics.recording_words.labels("refused").inc()

    def _tell(self, name: str, result: ToolResult, took_s: float) -> None:
        self.desk.metrics.tools.labels(name, result.outcome).observe(took_s)
        log.info(
            "tool_finished",
            call=str(self.call.call_id),
            org=str(self.call.org_id),
            tool=name,
            outcome=result.outcome,
            duration_ms=round(took_s * 1000),
        )


async def _run(tool: Tool | None, asked: AskedTool) -> tuple[ToolResult, bool]:
    """What the tool answers, and whether it came to no answer of its own."""
    if tool is None:
        return _error("unknown_tool", "there is no such tool"), True
    if asked.arguments is None:
        return _error("bad_arguments", "the arguments are not a JSON object"), True
    try:
        async with asyncio.timeout(TOOL_S):
            return await tool.run(asked.arguments), False
    except ToolArgumentError as error:
        return _error("bad_arguments", str(error)), True
    except TimeoutError:
        return _error("timed_out", "no answer in time; whether it was done is not known"), True
    except Exception as error:
        log.error("vapi_tool_failed", tool=tool.spec.name, exc_info=error)
        return _error("failed", "the tool failed"), True


def _error(outcome: str, message: str) -> ToolResult:
    return ToolResult(json.dumps({"error": message, "say": SAY[outcome]}, ensure_ascii=False), outcome)


def _one_line(text: str) -> str:
    """Vapi takes what is behind a line break for no part of the answer."""
    return " ".join(text.splitlines())
