"""What carriers' REST interfaces have in common: one connection pool, a deadline, the count of outcomes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import aiohttp
import msgspec

from gateway.errors import CarrierRefused
from gateway.metrics import Metrics

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """One request. `authorization`: the header's value; `body`: sent as JSON."""

    carrier: str
    method: str
    url: str
    authorization: str = field(repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a carrier answered."""

    status: int
    body: bytes = field(default=b"", repr=False)


def read_as(answered: Answered, kind: type[T], otherwise: type[Exception], *, strict: bool = True) -> T:
    """The answer's JSON. Raises `otherwise` for what is no `kind`; `strict`: nor are numbers in quotes."""
    try:
        return msgspec.json.decode(answered.body, type=kind, strict=strict)
    except msgspec.MsgspecError:
        raise otherwise(otherwise.__doc__) from None


class CarrierHttp:
    """For all carriers and accounts; an async context manager, opened inside the running loop.

    No redirect is followed: it would carry the credentials elsewhere.
    """

    def __init__(self, metrics: Metrics, *, timeout_s: float) -> None:
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def carry_out(self, order: Order, is_done: Callable[[Answered], bool]) -> Answered:
        """Counted by what became of it.

        Raises `CarrierRefused` for an answer that `is_done` does not take, ConnectionError if there is none.
        """
        try:
            answered = await self._answered(order)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._count(order, "unreachable")
            raise ConnectionError(type(error).__name__) from None
        if not is_done(answered):
            self._count(order, "refused")
            raise CarrierRefused(answered.status, answered.body)
        self._count(order, "done")
        return answered

    def _count(self, order: Order, outcome: Literal["done", "refused", "unreachable"]) -> None:
        self._metrics.carrier_requests.labels(order.carrier, outcome).inc()

    async def _answered(self, order: Order) -> Answered:
        content = None if order.body is None else dict(order.body)
        headers = {"Authorization": order.authorization}
        async with (
            asyncio.timeout(self._timeout_s),
            self._http.request(
                order.method, order.url, json=content, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return Answered(answer.status, await answer.read())
