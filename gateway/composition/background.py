"""What runs beside the calls, in the group of the foundation, until it is no longer wanted."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from gateway.call import Desk
from gateway.composition.foundation import Foundation
from gateway.feed import Feed
from gateway.garbage import watch_garbage
from gateway.loop_lag import watch_loop
from gateway.tenancy.changes import Changes


@asynccontextmanager
async def running(group: asyncio.TaskGroup, *work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """All of it side by side, and cancelled at the end."""
    tasks = [group.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def open_feed(base: Foundation) -> AsyncIterator[Feed]:
    """What calls tell at their end is still published, within `CALL_CLOSE_S`."""
    feed = Feed(base.store, base.metrics, size=base.settings.limits.feed_events)
    try:
        async with running(base.group, feed.run()):
            yield feed
    finally:
        await feed.close(base.settings.waits.call_close_s)


def loop_watched(base: Foundation) -> AbstractAsyncContextManager[None]:
    """How late the event loop is, and how long garbage holds it up."""
    return running(base.group, watch_loop(base.metrics), watch_garbage(base.metrics))


def turns_judged(base: Foundation, desk: Desk) -> AbstractAsyncContextManager[None]:
    """Whose calls are answered too late is found out."""
    return running(base.group, desk.latency.run())


def changes_heard(base: Foundation, desk: Desk) -> AbstractAsyncContextManager[None]:
    """What other replicas change is forgotten here."""
    waits = base.settings.waits
    caches = (desk.numbers, desk.profiles, desk.credentials, desk.knowledge.documents)
    changes = Changes(base.store, caches, quiet_s=waits.changes_quiet_s, retry_s=waits.changes_retry_s)
    return running(base.group, changes.run())
