"""One call over the carrier's socket: a recorded caller who tells what is nobody's business and asks about a
service, then hangs up. What came of it is for the three checks that share it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.carrier import CallOver, CarrierError, LiveCall
from bench.harness.caller import ReplyWatch
from bench.harness.sound import heard_after
from bench.harness.speech import FRAME_BYTES
from bench.validate.deployment import Deployment

NOBODY: Final = "+447700900000"
"""Who calls when nobody may be texted: from the numbers that Ofcom keeps free for drama."""
QUIET_MS: Final = 700
PATIENCE_S: Final = 20.0


@dataclass(slots=True)
class Call:
    """`ttfbs_ms`: from the caller's last voiced sample to the first audible one of an answer, per turn."""

    turns: int
    ttfbs_ms: list[float] = field(default_factory=list)
    failure: str | None = None


async def place(deployment: Deployment, voices: Sequence[bytes]) -> Call:
    """Faults of the deployment end in `failure`, never in an exception."""
    call = Call(len(voices))
    try:
        async with (
            deployment.carrier() as carrier,
            carrier.call(deployment.number, caller=deployment.phone or NOBODY) as live,
        ):
            await _converse(live, voices, call)
    except TimeoutError:
        call.failure = "unanswered"
    except CallOver as over:
        call.failure = f"the call was over: {over.reason}"
    except CarrierError as fault:
        call.failure = type(fault).__name__
    return call


async def _converse(live: LiveCall, voices: Sequence[bytes], call: Call) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await live.agent_answers(QUIET_MS)
    for voice in voices:
        call.ttfbs_ms.append(await _turn(live, voice))


async def _turn(live: LiveCall, voice: bytes) -> float:
    """Say it and hear the answer to its end. Raises `TimeoutError` if there is none."""
    record = live.record
    first_frame, first_event = record.now_ms // 20, len(record.wire)
    await live.say(voice)
    silent_s = record.sent_s[first_frame + len(voice) // FRAME_BYTES - 1]
    async with asyncio.timeout(PATIENCE_S):
        await live.until(ReplyWatch(first_event, silent_s, marked=False))
        await live.agent_quiet(QUIET_MS)
    heard = heard_after(record.wire[first_event:], silent_s, marked=False)
    if heard.reply_s is None:
        raise TimeoutError
    return (heard.reply_s - silent_s) * 1000
