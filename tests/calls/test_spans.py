"""A whole call's spans, as a collector receives them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.simulators.replies import Reply
from bench.simulators.serving import RunningServer
from tests.calls.conftest import Calling
from tests.calls.rig import OFFER, ask

LINES = ["My name is Wilhelmina Featherstone.", "Thank you."]
ANSWER = "Thank you, Wilhelmina. We are open every day."


@dataclass
class Collector:
    """Takes OTLP over HTTP."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.bodies.append(body)
        self.keys.add(request.headers.get("X-Key", ""))
        return web.Response(content_type="application/x-protobuf")

    def names(self) -> list[str]:
        return [
            span.name
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", made.take)
    server = RunningServer(app, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{await server.start()}"
    yield made
    await server.stop()


async def test_a_collector_gets_the_calls_spans_and_no_word_of_it(
    calling: Calling, collector: Collector
) -> None:
    otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=for-tests"}
    replies = [Reply(calls=(OFFER,)), ANSWER, ANSWER]
    async with calling(LINES, replies, **otel) as made, made.call() as live:
        await live.agent_answers(300)
        await ask(live)
    names = collector.names()
    assert {"call", "turn", "chat scripted-receptionist", "synthesise", "execute_tool find_slots"} <= set(
        names
    )
    assert names.count("call") == 1
    sent = b"".join(collector.bodies).lower()
    assert not [word for word in (b"wilhelmina", b"featherstone", b"open every day") if word in sent]
    assert collector.keys == {"for-tests"}


async def test_a_collector_that_is_away_costs_the_call_nothing(calling: Calling) -> None:
    async with calling(
        LINES, [ANSWER], OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", CALL_CLOSE_S="2"
    ) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        [turn] = await made.events("TurnFinished")
    assert turn["outcome"] == "answered"
