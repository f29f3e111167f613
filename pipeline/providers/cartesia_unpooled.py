"""Cartesia as `TextToSpeech` without a kept socket: each turn opens its own and closes it.

Slower by a connection a turn; it is there so that the worth of the shared socket can be measured.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.providers.cartesia import Cartesia, CartesiaConfig, CartesiaContext


class UnpooledCartesia:
    """Owns nothing between turns. Raises as `Cartesia` does, when it is made."""

    def __init__(self, config: CartesiaConfig) -> None:
        Cartesia(config)  # refuses a model or an address that is no good now, not in a call
        self._config = config

    @asynccontextmanager
    async def context(self) -> AsyncIterator[CartesiaContext]:
        """One turn's speech over a socket of its own."""
        client = Cartesia(self._config)
        try:
            async with client.context() as context:
                yield context
        finally:
            await client.aclose()

    async def warm_up(self) -> None:
        """There is nothing to keep warm."""

    async def aclose(self) -> None:
        """Each turn has closed its own."""
