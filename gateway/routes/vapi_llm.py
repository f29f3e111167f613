"""The custom LLM: our model, with the clinic's instructions, documents and tools, behind OpenAI's interface.

Our tools are used here, in the order of the call's requests, and each does what it does once (`gateway.vapi.
calls`); any tool that only Vapi has is passed on. Which org is asked for is told by who signed and by the
number that was called, never by what was said or by what an assistant is told of itself.

A request is given up as soon as nobody reads its answer. A tool that has begun by then goes on to its end,
and what it was answered is known to the next request.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final, Literal, assert_never
from uuid import uuid4

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingError
from gateway.call import Office
from gateway.caller import Ends
from gateway.errors import CallBusy, OrgUnavailable, VapiRequestInvalid
from gateway.knowledge.informed import InformedModel
from gateway.prompt import system_prompt
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forms import body_of
from gateway.routes.streamed import Outcome, Streamed
from gateway.routes.vapi_faults import note_fault
from gateway.routes.vapi_office import office_reached
from gateway.vapi.assistant import LLM
from gateway.vapi.calls import VapiCall
from gateway.vapi.completion_request import CompletionRequest, parse_completion_request
from gateway.vapi.completion_stream import DONE, HEADERS, Chunks, error_body
from gateway.vapi.door import require_likely, vapi_caller
from gateway.vapi.instructions import instructed
from gateway.vapi.messages import AskedTool
from gateway.vapi.sharing import Holding
from gateway.vapi.state import SharedState
from gateway.vapi.thinking import Answer, AnswerEvent, Ended, PassedOn, Thinking
from gateway.vapi.tool_uses import caller_turns, joined, use_id, woven
from gateway.vapi.tools import BESIDES, specs_at_vapi
from gateway.vapi.wire_json import anything
from pipeline.conversation import Step
from pipeline.errors import ProviderError, ProviderRefused
from pipeline.events import TextDelta, ToolCall
from pipeline.ports import Message
from pipeline.settings import ConversationSettings, Phrase

log = structlog.get_logger("gateway.vapi")

# Vapi takes its address for a client's base, and some of its docs put the whole path there.
_PATHS: Final = ("/chat/completions", "/chat/completions/chat/completions")
_CALL_WAIT_S: Final = 5.0
_FACTS: Final[Mapping[int, str]] = {
    401: "the request is not signed by the account that it is for",
    403: "the number that was called is no clinic's here",
    404: "there is no such clinic",
    408: "the request did not come in time",
    413: "the request is too long",
    503: "the clinic cannot be looked up now",
}
_TOO_MANY: Final = "http_429"


async def completions(request: Request) -> Response | Streamed:
    """A chat completion, always streamed. Errors are OpenAI's, as Vapi ends calls by their status."""
    edge = edge_of(request)
    asked_s = edge.desk.clock.now_s()
    try:
        await require_likely(request, edge, model=True)
        body = await body_of(request, edge, edge.settings.limits.vapi_body_bytes)
        signer = await vapi_caller(request, edge, body, model=True)
        asked = parse_completion_request(body)
        office = await office_reached(request, edge, signer, asked.number)
    except VapiRequestInvalid as fault:
        return _refused(edge, 400, str(fault))
    except OrgUnavailable:
        return _refused(edge, 503)
    except HTTPException as refusal:
        return _refused(edge, refusal.status_code)
    if office is None:
        return _refused(edge, 403)

    def ended(outcome: Outcome) -> None:
        edge.metrics.vapi_served.labels("llm", outcome).inc()

    answering = _Answering(edge, office, asked, asked_s)
    return Streamed(
        answering.pieces(),
        HEADERS,
        refusal=_vendors_refusal,
        on_fault=lambda fault: answering.note_fault(fault, "gave_up"),
        on_end=ended,
        send_s=edge.settings.waits.media_send_s,
    )


class _Answering:
    """One request of a known org's."""

    def __init__(self, edge: Edge, office: Office, asked: CompletionRequest, asked_s: float) -> None:
        self._edge = edge
        self._office = office
        self._asked = asked
        self._asked_s = asked_s
        self._history = joined(asked.history)
        self._turn = caller_turns(self._history)
        self._used: Counter[str] = Counter()
        desk = edge.desk
        self._call = VapiCall(
            office.profile.org_id, asked.call_id, Ends.told(asked.caller, asked.number), desk.now()
        )

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The answer's events on the wire. Raises `ProviderError` before the first, and never behind it."""
        desk, office = self._edge.desk, self._office
        gear = desk.gear(office)
        chunks = Chunks(f"chatcmpl-{uuid4().hex}", self._asked.model, int(time.time()))
        with self._edge.calls.attended(), gear.clients.lease(office.keys):
            find = partial(desk.knowledge.find, office.profile.org_id, elsewhere=office.keys.llm is None)
            model = InformedModel(await gear.hedges.model(office.profile.org_id, office.keys), find)
            answer = Answer(self._thinking(model), await self._messages(model))
            is_first = True
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if is_first:
                        self._edge.metrics.vapi_first.labels("llm").observe(
                            desk.clock.now_s() - self._asked_s
                        )
                        yield chunks.opening()
                        is_first = False
                    for piece in self._wire(chunks, event):
                        yield piece

    def _wire(self, chunks: Chunks, event: AnswerEvent) -> Iterator[bytes]:
        match event:
            case TextDelta(text):
                yield chunks.text(text)
            case PassedOn(calls):
                yield chunks.calls(calls)
            case Ended():
                yield chunks.finish(event.reason)
                if self._asked.wants_usage:
                    yield chunks.usage(event.prompt_tokens, event.completion_tokens)
                yield DONE
            case _:
                assert_never(event)

    def _thinking(self, model: InformedModel) -> Thinking:
        desk, profile = self._edge.desk, self._office.profile
        return Thinking(
            model=model,
            ours=specs_at_vapi(profile) if self._asked.call_id else (),
            theirs=self._asked.tools,
            use=self._use,
            settings=ConversationSettings(
                system_prompt="", greeting=Phrase(""), **desk.gear(self._office).conversation
            ),
            on_fault=self.note_fault,
        )

    # --- what the model is told -----------------------------------------------------------------------------

    async def _messages(self, model: InformedModel) -> Sequence[Message]:
        """What was said, what our tools answered meanwhile, and what the documents say of the last words."""
        known, _ = await asyncio.gather(self._known(), model.informed(self._history))
        prompt = system_prompt(self._office.profile, self._edge.desk.now(), known.returning) + BESIDES
        informed = await model.informed(instructed(prompt, self._history))  # found already
        return woven(informed, known.uses)

    async def _known(self) -> SharedState:
        """What the call's requests share; from its first one on the call is on record.

        Waits for the tools of a request that was given up. What cannot be known now is not known.
        """
        call, calls = self._call, self._edge.vapi_calls
        if not call.vapi_id:
            return SharedState()
        try:
            await calls.heard_of(call, ask_after_s=self._edge.settings.waits.vapi_silent_s)
            state = await calls.sharing.seen(call.claim, call.call_id, within_s=_CALL_WAIT_S)
            if not self._may_be_known(state):
                return state
            async with calls.sharing.taken(call.claim, call.call_id, within_s=_CALL_WAIT_S) as holding:
                await self._recognise(holding)
                return holding.state
        except (BookingError, CallBusy) as error:
            log.warning("vapi_call_unknown", call=str(call.call_id), error=type(error).__name__)
            return SharedState()

    def _may_be_known(self, state: SharedState) -> bool:
        """Whether it is still to be looked up if the caller has been here before."""
        number = state.ends.caller or self._call.ends.caller
        return not state.was_looked_up and self._edge.desk.callers is not None and number is not None

    async def _recognise(self, holding: Holding) -> None:
        """Whether the caller has been here before: looked up once a call. Raises `BookingError`."""
        state, callers = holding.state, self._edge.desk.callers
        number = state.ends.caller or self._call.ends.caller
        if state.was_looked_up or callers is None or number is None:
            return
        state.meet(self._call.ends)
        state.returning = await callers.find(self._call.org_id, number, self._call.call_id)
        state.was_looked_up = True
        await holding.keep(leave=True)

    # --- our tools ------------------------------------------------------------------------------------------

    async def _use(self, step: Step) -> None:
        """Never raises; what has begun goes on when this is cancelled."""
        asked = [self._asked_tool(call) for call in step.calls]
        within_s = self._edge.settings.conversation["effect_s"]
        answers = await self._edge.vapi_calls.use(self._office.profile, self._call, asked, within_s=within_s)
        for call, answer in zip(step.calls, answers, strict=True):
            step.results[call.id] = answer.text

    def _asked_tool(self, call: ToolCall) -> AskedTool:
        arguments = _arguments(call.arguments)
        once = use_id(self._turn, call.name, arguments, 0)
        self._used[once] += 1
        again = use_id(self._turn, call.name, arguments, self._used[once])
        return AskedTool(again, call.name, arguments, self._turn)

    def note_fault(self, fault: ProviderError, action: Literal["retried", "apologised", "gave_up"]) -> None:
        note_fault(self._edge, fault, action, str(self._call.call_id))


def _arguments(text: str) -> Mapping[str, Any] | None:
    """None if they are no JSON object."""
    try:
        told = anything(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _refused(edge: Edge, status: int, fact: str | None = None) -> Response:
    edge.metrics.vapi_served.labels("llm", "invalid" if status == 400 else "refused").inc()
    return _error(status, fact or _FACTS.get(status, "the request was refused"))


def _vendors_refusal(fault: ProviderError) -> Response:
    """Before the first word. The vendor's own text, and what it thinks of our key, stay here."""
    is_full = isinstance(fault, ProviderRefused) and fault.fault == _TOO_MANY
    return _error(429 if is_full else 503, "the model cannot answer now", fault.fault)


def _error(status: int, fact: str, code: str | None = None) -> Response:
    return Response(error_body(status, fact, code), status, media_type="application/json")


ROUTES = [
    Route(LLM + whose + path, completions, methods=["POST"])
    for whose in ("", "/{org:uuid}")
    for path in _PATHS
]
