"""The pages of those who run the process, and what watches whether promises are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.api.mount import Api
from gateway.api.operator_pages import OperatorPages
from gateway.composition.background import running
from gateway.routes.edge import Edge
from gateway.status.access import Access
from gateway.status.asked import Turns
from gateway.status.board import Board
from gateway.status.watch import Watch


@asynccontextmanager
async def open_operator_pages(edge: Edge, api: Api) -> AsyncIterator[OperatorPages]:
    """What only the worker's role can see is watched where that role is known."""
    desk = edge.desk
    turns = Turns(edge.readiness.store, desk.latency)
    async with Access(desk.pool, turns, edge.settings.jobs.url) as access, asyncio.TaskGroup() as group:
        watching = [Watch(access.sources, edge.metrics).run()] if access.known else []
        async with running(group, *watching):
            yield OperatorPages(api.guard, desk.latency, Board(access))
