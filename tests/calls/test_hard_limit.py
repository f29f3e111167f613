"""A call that came in is given its hard limit by the carrier itself, and goes on as it was."""

import pytest

from bench.simulators.faults import Refuse
from tests.calls.conftest import Calling
from tests.calls.test_handed_over import until


@pytest.mark.parametrize("refused", [False, True])
async def test_the_carrier_is_told_when_to_end_the_call_by_itself(calling: Calling, refused: bool) -> None:
    async with calling([], [], CALL_LIMITED_S="0.2") as made:
        if refused:
            made.twilio.faults.add(Refuse(503))
        async with made.call() as live:
            call = made.twilio.calls[live.plan.call_id]
            outcome = "refused" if refused else "done"
            told = {"carrier": "twilio", "outcome": outcome}
            await until(lambda: made.gateway.counted("gateway_carrier_requests_total", **told) == 1)
            await live.agent_answers(500)
            assert call.time_limit_s == (None if refused else 2 * (900 + 120))
            assert (call.status, call.twiml, live.record.streams) == ("in-progress", None, 1)
