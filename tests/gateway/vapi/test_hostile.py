"""What comes with a good signature all the same: cut texts, numbers beyond measure, odd arguments."""

import asyncio
import io
import json
from typing import Any

import asyncpg
from structlog.testing import capture_logs

from gateway.vapi.tools import specs_at_vapi
from tests.calls.test_canaries import logged
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import WEBHOOK, CallAtVapi, post, signed

__all__ = ["logged"]

_HALF = "Hello \ud83d"  # JavaScript tells half an emoji as an escape, and so does json.dumps
_ODD: tuple[Any, ...] = (
    _HALF, "\x00", "\u202e\u0000s1", "s1\n" * 2_000, "١٢٣٤٥٦", -1, 0, 10**300, 1e308, True, None, [], {},
    ["s1"], {"$ne": 1},
)  # fmt: skip


async def test_half_a_character_costs_neither_tool_nor_report(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    said = (("user", f"I'd like a nose job. {_HALF}"), ("bot", "Goodbye."))
    asked = {"id": "1", "function": {"name": "find_slots", "arguments": {"service": "nose job"}}}
    beside = {"artifact": {"transcript": _HALF}, "customer": {"number": call.caller, "name": _HALF}}
    nameless = [{"name": "find_slots"}, "x", {"id": "i" * 300}]
    answer = await call.tell(gateway, "tool-calls", toolCallList=[asked, *nameless], **beside)
    (result,) = answer.json()["results"]
    assert json.loads(result["result"])["slots"]
    assert gateway.counted("gateway_refused_total", reason="tool_without_id") == len(nameless)
    assert (await call.end(gateway, *said)).status_code == 200
    turns = await call.rows(pool, "select said from call_turns where call_id = $1 order by turn")
    assert len(turns) == 2
    assert "\ufffd" in turns[1]["said"] or "fffd" in turns[1]["said"]


async def test_a_report_with_what_cannot_be_read_in_it_is_settled_by_the_rest(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    told = call.body("end-of-call-report", **call.report(("user", "PLACE"), ("bot", "Goodbye.")))
    hostile = told.replace(b'"PLACE"', b'"I am \xff here", "endTime": 1' + b"0" * 400)
    assert (await post(gateway, hostile)).status_code == 200
    row = await call.row(pool, "select end_reason from calls where id = $1")
    assert row["end_reason"] == "caller_hung_up"
    assert len(await call.rows(pool, "select 1 from call_turns where call_id = $1")) == 2


async def test_every_tool_has_an_answer_to_odd_arguments(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    profile = await gateway.edge.desk.profiles.get(call.clinic.claim.org_id)
    assert profile is not None
    with capture_logs() as logged:
        for spec in specs_at_vapi(profile):
            names = [*spec.parameters["properties"], "unknown"]
            odd = [dict.fromkeys(names, each) for each in _ODD]
            for given in (odd, [json.dumps(each) for each in odd]):
                asked = [
                    {"id": f"{spec.name} {type(each).__name__} {number}",
                     "function": {"name": spec.name, "arguments": each}}
                    for number, each in enumerate(given)
                ]  # fmt: skip
                answer = await call.tell(gateway, "tool-calls", toolCallList=asked)
                results = answer.json()["results"]
                assert [each["toolCallId"] for each in results] == [each["id"] for each in asked]
                for each in results:
                    text = each.get("result") or each["error"]
                    assert "\n" not in text
                    json.loads(text)
    assert [each for each in logged if each["event"] in ("vapi_tool_failed", "vapi_tools_failed")] == []


async def test_a_request_that_breaks_off_is_counted_and_no_fault_of_ours(
    gateway: Gateway, call: CallAtVapi, logged: io.StringIO
) -> None:
    """Whoever sent it has gone, so that its answer is nobody's."""
    body = call.body("end-of-call-report", **call.report(("bot", "Hello.")))
    heads = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
    host, port = gateway.url.removeprefix("http://").split(":")
    paths = (WEBHOOK, "/vapi/voice", "/vapi/llm/chat/completions", "/vapi/token")
    for path in paths:
        _, writer = await asyncio.open_connection(host, int(port))
        told = f"POST {path} HTTP/1.1\r\nHost: gw\r\nContent-Length: {len(body)}\r\n{heads}\r\n"
        writer.write(told.encode() + body[:50])
        await writer.drain()
        writer.close()
    async with asyncio.timeout(20):
        while broken(gateway) < len(paths):  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.02)
    assert "ClientDisconnect" not in logged.getvalue()


def broken(gateway: Gateway) -> float:
    """The model has a count of its own."""
    model = gateway.counted("gateway_vapi_served_total", service="llm", outcome="invalid")
    return gateway.counted("gateway_refused_total", reason="malformed") + model
