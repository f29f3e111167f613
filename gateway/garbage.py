"""Python's cyclic garbage collector, kept from stopping calls.

A full collection looks at every object of the process on the event loop, and what start-up leaves there for
good (modules, the vendors' models, caches) is most of them. Frozen, it is not looked at again (CPython docs,
`gc.freeze`); what calls leave behind is little and still collected.
"""

import asyncio
import gc
import time
from collections import deque
from typing import Final, Literal

from gateway.metrics import Metrics

EVERY_S: Final = 1.0
_MOST: Final = 1_000


def settle() -> None:
    """Once start-up is over: drop its garbage, never look again at what is left of it, and from now on at
    what comes after.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


async def watch_garbage(metrics: Metrics, *, every_s: float = EVERY_S) -> None:
    """Tell how long each collection stopped the process, until cancelled.

    A collection begins wherever an object is made, perhaps inside a metric that holds its lock: so it is
    timed there and told later.
    """
    pauses: deque[float] = deque(maxlen=_MOST)
    began_s = 0.0

    def timed(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        nonlocal began_s
        if phase == "start":
            began_s = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began_s)

    gc.callbacks.append(timed)
    try:
        while True:
            await asyncio.sleep(every_s)
            while pauses:
                metrics.garbage_pauses.observe(pauses.popleft())
    finally:
        gc.callbacks.remove(timed)
