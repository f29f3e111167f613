"""How long the caller of the call waited for answers, by the audio itself."""

from typing import Final

from bench.harness.figures import percentile
from bench.validate.calling import Call
from bench.validate.checked import Checked

NAME: Final = "TTFB"


def check(call: Call, most_ms: float) -> Checked:
    """Of so few turns the 95th percentile is the slowest one."""
    if call.failure is not None or len(call.ttfbs_ms) < call.turns:
        told = f"{len(call.ttfbs_ms)} of {call.turns} turns were answered: {call.failure}"
        return Checked(NAME, False, told, {"turns": call.turns, "answered": len(call.ttfbs_ms)})
    p50_ms, p95_ms = percentile(call.ttfbs_ms, 50), percentile(call.ttfbs_ms, 95)
    return Checked(
        NAME,
        p95_ms < most_ms,
        f"{p50_ms:.0f} ms at p50, {p95_ms:.0f} ms at p95 of {call.turns} turns, below {most_ms:g} ms wanted",
        {
            "turns": call.turns,
            "answered": len(call.ttfbs_ms),
            "p50_ms": round(p50_ms, 1),
            "p95_ms": round(p95_ms, 1),
            "turns_ms": [round(each, 1) for each in call.ttfbs_ms],
        },
    )
