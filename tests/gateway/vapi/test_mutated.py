"""Messages of every kind with any one part of them replaced: each has an answer, none is a fault of ours."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

from structlog.testing import capture_logs

from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import CallAtVapi, post

# A number of more digits than Python reads, which no writer of JSON here would write.
_HUGE, _DIGITS = "HUGE", b"1" + b"0" * 5_000
_ODD: tuple[Any, ...] = (
    None, [None, 1, {}], -1, "\x00", {}, 1e308, "", {"id": {}}, True, "x" * 70_000, [], _HUGE
)  # fmt: skip
_EACH = 3
"""So many of these come to each place, others to the next."""


def messages(call: CallAtVapi) -> list[bytes]:
    """One of each kind that is more than acknowledged."""
    wanted = {"service": "nose job"}
    asked = [call.tool_call("find_slots", **wanted)]
    said = (("bot", "Hello."), ("user", "I am Ann, about a nose job."), ("bot", "Goodbye."))
    return [
        call.body("assistant-request"),
        call.body("status-update", status="in-progress"),
        call.body("tool-calls", toolCallList=asked),
        call.body("tool-calls", toolWithToolCallList=[{"toolCall": asked[0]}]),
        call.body("function-call", functionCall={"name": "find_slots", "parameters": wanted}),
        call.body("transfer-destination-request"),
        call.body("end-of-call-report", **call.report(*said)),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All there is in it, by the way to it."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def mutated(told: Any, path: tuple[Any, ...], odd: Any) -> bytes:
    changed = copy.deepcopy(told)
    within = changed
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = odd
    return json.dumps(changed).encode().replace(f'"{_HUGE}"'.encode(), _DIGITS)


async def test_whatever_part_of_a_message_is_odd_it_has_an_answer(gateway: Gateway, call: CallAtVapi) -> None:
    """Each of a call of its own, so that nothing is answered from memory. Refused is what has no type, and
    what is beyond numbers.
    """
    refused, odd = Counter[tuple[Any, ...]](), cycle(_ODD)
    with capture_logs() as logged:
        for told in map(json.loads, messages(call)):
            for path in places(told):
                for each in islice(odd, _EACH):
                    fresh = mutated(told, path, each).replace(call.vapi_id.encode(), str(uuid4()).encode())
                    status = (await post(gateway, fresh)).status_code
                    assert status in (200, 400), (path, str(each)[:20])
                    refused[path] += status == 400 and each != _HUGE
    assert {path for path, times in refused.items() if times} == {("message",), ("message", "type")}
    assert [each for each in logged if each["log_level"] == "error"] == []
    assert gateway.counted("gateway_vapi_reports_total", source="webhook", outcome="settled") > 60
