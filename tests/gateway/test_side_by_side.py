"""A call's look-ups: all at once, or one after the other where that is switched off."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from booking.handovers import load_handover_rules
from gateway.call import Call, task
from gateway.caller import Ends
from gateway.settings import Speedups
from tests.conftest import Clinic
from tests.gateway import running

CALLER = "+447700900188"
LookUp = Callable[..., Awaitable[Any]]


@dataclass
class Watch:
    """Which look-ups were under way, and how many at the same time."""

    begun: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    def over(self, name: str, look_up: LookUp) -> LookUp:
        """The same look-up, watched."""

        async def through(*arguments: Any) -> Any:
            self.begun.append(name)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            try:
                await asyncio.sleep(0)
                return await look_up(*arguments)
            finally:
                self.under_way -= 1

        return through


@dataclass
class Watched:
    """One look-up's owner, watched."""

    inner: Any
    watch: Watch

    def __getattr__(self, name: str) -> LookUp:
        return self.watch.over(name, getattr(self.inner, name))


@pytest.mark.parametrize(("side_by_side", "most"), [(True, 6), (False, 1)])
async def test_look_ups_run_at_once_unless_switched_off(
    gateway: running.Gateway,
    clinic: Clinic,
    side_by_side: bool,
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, desk = Watch(), gateway.edge.desk
    monkeypatch.setattr(task, "load_handover_rules", watch.over("handover", load_handover_rules))
    kinds = ("profiles", "credentials", "latency", "knowledge", "callers")
    watched: dict[str, Any] = {kind: Watched(getattr(desk, kind), watch) for kind in kinds}
    settings = replace(desk.settings, speedups=Speedups(side_by_side=side_by_side))

    async def find_org() -> UUID:
        return clinic.claim.org_id

    call = Call(replace(desk, settings=settings, **watched), "twilio", running.CALL, find_org, Ends(CALLER))
    running_call = asyncio.create_task(call.run())
    async with asyncio.timeout(20):
        office = await call.office()
        call.abandon()
        await running_call
    assert office is not None
    assert office.profile.org_id == clinic.claim.org_id
    assert sorted(watch.begun) == ["find", "get", "get", "handover", "profile", "warm"]
    assert watch.most == most
