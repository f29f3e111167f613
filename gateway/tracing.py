"""OpenTelemetry spans of calls, turns, stages and tools, by the GenAI conventions where they fit.

A span is made when what it tells of is over, from the instants in the journal's facts, so that nothing is
done while a turn is under way; the SDK's thread sends them, and what it cannot send is dropped.
Attributes come from the closed set `ATTRIBUTES`: ids, measures and names of ours; no words, nobody's number.
It needs the extra `otel`, so nothing imports it unless spans are asked for.

Names: OpenTelemetry semantic conventions, GenAI spans, as the Python package 0.66b2 has them, read 2026-11.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context
from opentelemetry.util.re import parse_env_headers

from gateway.settings import Otel
from gateway.vendor_words import tool_name
from pipeline.events import BargedIn, CallFinished, JournalEvent, ProviderFailed, ToolFinished, TurnFinished
from pipeline.ports import Clock

ATTRIBUTES: Final = frozenset(
    {
        "gateway.org.id",
        "gateway.call.reason",
        "gateway.call.turns",
        "gateway.turn.number",
        "gateway.turn.outcome",
        "gateway.turn.ttfb_ms",
        "gateway.turn.overhead_ms",
        "gateway.tool.outcome",
        "gateway.barge_in.clear_ms",
        "gateway.fault.provider",
        "gateway.fault.action",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.tool.name",
    }
)

STAGE_SPANS: Final = (
    ("guess of the end", "speech_end", "eager_end"),
    ("end of turn", "speech_end", "end_of_turn"),
    ("chat", "llm_request", "first_clause"),
    ("synthesise", "tts_request", "tts_first_audio"),
    ("send", "tts_first_audio", "first_audio_sent"),
)
"""What a turn consists of: a name, the stage that it begins with and the one that it ends with."""


class Tracing:
    """One process's spans, handed to `processor` as they end."""

    def __init__(self, processor: SpanProcessor, clock: Clock, *, service: str = "voice-gateway") -> None:
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gateway")
        self._clock = clock

    def call(self, call_id: UUID, org_id: UUID, model: str) -> "CallSpans":
        """The spans of one call, which begins now."""
        return CallSpans(self._tracer, self._clock, call_id, org_id, model)

    def shutdown(self) -> None:
        """Sends what is left, on the caller's thread: it may take seconds."""
        self._provider.shutdown()


@asynccontextmanager
async def open_tracing(otel: Otel, clock: Clock, *, close_s: float) -> AsyncIterator[Tracing]:
    """Spans over OTLP (protobuf over HTTP). Leaving sends what is left, within `close_s`."""
    exporter = OTLPSpanExporter(
        endpoint=f"{otel.endpoint}/v1/traces",
        headers=parse_env_headers(otel.headers, liberal=True),
        timeout=close_s,
    )
    tracing = Tracing(BatchSpanProcessor(exporter), clock, service=otel.service)
    try:
        yield tracing
    finally:
        await asyncio.to_thread(tracing.shutdown)


class CallSpans:
    """One call's spans. Takes what the journal takes."""

    def __init__(self, tracer: Tracer, clock: Clock, call_id: UUID, org_id: UUID, model: str) -> None:
        self._tracer = tracer
        self._clock = clock
        self._model = model
        self._call: Span = tracer.start_span(
            "call",
            kind=SpanKind.SERVER,
            start_time=self._epoch_ns(clock.now_s()),
            attributes={"gen_ai.conversation.id": str(call_id), "gateway.org.id": str(org_id)},
        )
        self._within: Context = set_span_in_context(self._call)

    def take(self, event: JournalEvent) -> None:
        """Of what was said there is no span."""
        match event:
            case TurnFinished():
                self._turn(event)
            case ToolFinished():
                self._tool(event)
            case BargedIn():
                self._call.add_event("barge_in", {"gateway.barge_in.clear_ms": event.clear_ms})
            case ProviderFailed():
                told = {"gateway.fault.provider": event.provider, "gateway.fault.action": event.action}
                self._call.add_event("provider_fault", told)
            case CallFinished():
                self._call.set_attribute("gateway.call.turns", event.turns)
            case _:
                pass

    def end(self, reason: str) -> None:
        """The call is over; `reason` is a word of ours."""
        self._call.set_attribute("gateway.call.reason", reason)
        self._call.end(self._epoch_ns(self._clock.now_s()))

    def _turn(self, event: TurnFinished) -> None:
        if not event.stages_s:
            return
        measures = {"gateway.turn.ttfb_ms": event.ttfb_ms, "gateway.turn.overhead_ms": event.overhead_ms}
        told = {name: value for name, value in measures.items() if value is not None}
        first_s, last_s = min(event.stages_s.values()), max(event.stages_s.values())
        attributes = {"gateway.turn.number": event.turn, "gateway.turn.outcome": event.outcome, **told}
        turn = self._span("turn", self._within, first_s, last_s, attributes)
        within = set_span_in_context(turn)
        for name, start, end in STAGE_SPANS:
            if start in event.stages_s and end in event.stages_s:
                self._stage(name, within, event.stages_s, (start, end))

    def _stage(self, name: str, within: Context, at_s: Mapping[str, float], ends: tuple[str, str]) -> None:
        start_s, end_s = at_s[ends[0]], at_s[ends[1]]
        if name == "chat":
            first_s = at_s.get("llm_first_token", end_s) - start_s
            self._span(f"chat {self._model}", within, start_s, end_s, self._chat(first_s), SpanKind.CLIENT)
        else:
            if name == "send":  # audio made on a guess may leave once the turn has ended
                start_s = max(start_s, at_s.get("end_of_turn", start_s))
            self._span(name, within, start_s, end_s, {})

    def _chat(self, first_s: float) -> dict[str, Any]:
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",  # whoever serves it, this is the protocol
            "gen_ai.request.model": self._model,
            "gen_ai.response.time_to_first_chunk": first_s,
        }

    def _tool(self, event: ToolFinished) -> None:
        tool = tool_name(event.name)
        told = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gateway.turn.number": event.turn,
            "gateway.tool.outcome": event.outcome,
        }
        now_s = self._clock.now_s()
        self._span(f"execute_tool {tool}", self._within, now_s - event.duration_ms / 1000, now_s, told)

    def _span(
        self,
        name: str,
        within: Context,
        start_s: float,
        end_s: float,
        attributes: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        span = self._tracer.start_span(name, within, kind, attributes, start_time=self._epoch_ns(start_s))
        span.end(self._epoch_ns(max(start_s, end_s)))
        return span

    def _epoch_ns(self, at_s: float) -> int:
        """A monotonic instant as the wall clock has it now."""
        return time.time_ns() - round((self._clock.now_s() - at_s) * 1e9)
