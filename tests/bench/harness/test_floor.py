"""The least that the providers' delays allow."""

import pytest

from bench.harness.floor import Delays, Policy, floor_ms

STEADY = Delays(end_ms=250, eager_ms=130, stable_ms=-400, llm_ms=(250, 300), clause_ms=20, tts_ms=90)
STALLED_EARLY = Delays(end_ms=250, eager_ms=130, stable_ms=-400, llm_ms=(3000, 300), clause_ms=20, tts_ms=90)
STALLED = Delays(end_ms=250, eager_ms=130, stable_ms=None, llm_ms=(3000, 300), clause_ms=20, tts_ms=90)


@pytest.mark.parametrize(
    ("delays", "policy", "expected_ms"),
    [
        (STEADY, Policy("off"), 250 + 250 + 20 + 90),
        (STEADY, Policy("eager"), 130 + 250 + 20 + 90),
        (STEADY, Policy("interim"), 250),
        (STEADY, Policy("interim", interim_stable_ms=350), -400 + 350 + 250 + 20 + 90),
        (STALLED, Policy("interim"), 130 + 3000 + 20 + 90),
        (STALLED, Policy("eager", hedge_after_ms=600), 130 + 600 + 300 + 20 + 90),
        (STEADY, Policy("eager", hedge_after_ms=600), 130 + 250 + 20 + 90),
        (STALLED_EARLY, Policy("interim", hedge_after_ms=600), 130 + 600 + 300 + 20 + 90),
    ],
)
def test_floor_of_a_policy(delays: Delays, policy: Policy, expected_ms: float) -> None:
    assert floor_ms(delays, policy) == max(expected_ms, 250)


def test_a_second_request_that_is_slower_changes_nothing() -> None:
    slower = Delays(250, 130, None, (700, 2000), 0, 0)
    assert floor_ms(slower, Policy("off", hedge_after_ms=500)) == 950
