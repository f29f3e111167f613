"""Whole conversations in virtual time: no socket, no thread, no waiting."""

import asyncio
from collections.abc import Callable, Mapping

from tests.pipeline.runner.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}
