"""What `/metrics` answers, told without keeping calls waiting."""

import asyncio

from gateway.metrics import Metrics


async def test_metrics_are_told_whole_and_in_pieces() -> None:
    metrics = Metrics()
    metrics.turn_ttfb.observe(0.5)
    metrics.turns.labels("answered").inc()
    turns_of_others = 0

    async def others() -> None:
        nonlocal turns_of_others
        while True:
            turns_of_others += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    told = await metrics.told()
    waiting.cancel()
    families = told.count(b"# TYPE ")
    assert b"gateway_turn_ttfb_seconds_sum 0.5" in told
    assert names(told) == names(metrics.exposition())
    assert turns_of_others >= families / 3, "a counter is two families: its total and when it was made"


def names(text: bytes) -> list[bytes]:
    return [line.partition(b" ")[0] for line in text.splitlines() if not line.startswith(b"#")]
