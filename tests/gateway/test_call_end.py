"""What must be done at a call's end is done, however often the call is cancelled meanwhile."""

import asyncio

import pytest

from gateway.call import to_its_end


async def test_the_end_is_reached_through_any_number_of_cancellations() -> None:
    begun, may_end, steps = asyncio.Event(), asyncio.Event(), list[str]()

    async def finish() -> None:
        begun.set()
        await may_end.wait()
        steps.append("written")

    task = asyncio.create_task(to_its_end(finish()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["written"]
