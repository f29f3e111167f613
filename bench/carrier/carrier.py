"""A carrier with a phone number that points at the gateway: places calls into it, obeys REST orders about
them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from bench.carrier.call import LiveCall
from bench.carrier.dialect import Account, CallPlan, CallState
from bench.carrier.errors import CarrierFault
from bench.carrier.faults import NO_FAULTS, LineFaults
from bench.carrier.record import CallRecord
from bench.carrier.steps import Step
from bench.carrier.twilio import TwilioAccount
from bench.carrier.webhooks import Route, Webhooks, open_client

HANG_UP_LIMIT_S: Final = 20.0


class Carrier:
    """Calls into a gateway, as that account's number would. An async context manager: it owns its HTTP
    client.

    `account` says which carrier; Twilio's with well-known credentials by default. `public_url` is the
    gateway's configured public address and what is signed; `connect_url` is where it listens (default: the
    same). `pace` is the speed of stream time against real time; 1 is a telephone. `voice_url` and
    `status_url`: the number's webhooks, by default our own gateway's routes; with `voice_url` alone no status
    is told. `media_url`: no webhook at all, calls go straight to that media socket. `dialled` is told of each
    call before the gateway is, `over` when it is to end, so that the account's REST interface can know it.
    `faults` strike every call.
    """

    def __init__(
        self,
        public_url: str,
        account: Account | None = None,
        *,
        connect_url: str | None = None,
        pace: float = 1.0,
        voice_url: str | None = None,
        status_url: str | None = None,
        media_url: str | None = None,
        dialled: Callable[[CallPlan], None] = lambda plan: None,
        over: Callable[[CallPlan], None] = lambda plan: None,
        faults: LineFaults = NO_FAULTS,
    ) -> None:
        self.account: Account = account or TwilioAccount()
        self.calls: dict[str, LiveCall] = {}
        self._public_url = public_url.rstrip("/")
        self._route = Route(self._public_url, (connect_url or public_url).rstrip("/"))
        self._pace = pace
        own = voice_url is None and media_url is None
        own_status = self.account.status_path
        self._voice_url = voice_url or self._public_url + self.account.voice_path
        self._status_url = self._public_url + own_status if own and own_status else status_url
        self._media_url = media_url
        self._dialled = dialled
        self._told_over = over
        self._faults = faults

    async def __aenter__(self) -> Self:
        self._http = open_client()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    @contextlib.asynccontextmanager
    async def call(
        self,
        dialled: str,
        *,
        caller: str = "+442071838750",
        extra_fields: Mapping[str, str] | None = None,
        strict: bool = True,
        wait_for_stream: bool = True,
        faults: LineFaults | None = None,
    ) -> AsyncIterator[LiveCall]:
        """Dial a number. The body is the caller; leaving it hangs up. `faults`: in place of the carrier's.

        With `wait_for_stream` the body starts when the media stream runs, and `CarrierFault` or `CallOver` is
        raised if there is none. With `strict` the first fault of the gateway is raised when the body has
        ended without an error of its own; without it, faults are left in the record.
        """
        live = self._new_call(dialled, caller, extra_fields or {}, faults or self._faults)
        running = asyncio.create_task(live.run(), name=f"call {live.plan.call_id}")
        try:
            if wait_for_stream:
                await self._stream_or_fault(live)
            yield live
        finally:
            live.hang_up()
            await self._finish(running)
            self.calls.pop(live.plan.call_id, None)
        if strict and live.record.faults:
            raise live.record.faults[0]

    def complete(self, call_id: str) -> bool:
        """Ended over the account's REST interface; False if there is no such live call."""
        live = self.calls.get(call_id)
        return live is not None and live.complete()

    def replace(self, call_id: str, steps: Sequence[Step]) -> bool:
        """Given another answer over the REST interface; False if no such call streams."""
        live = self.calls.get(call_id)
        return live is not None and live.replace(steps)

    def _new_call(
        self, dialled: str, caller: str, extra_fields: Mapping[str, str], faults: LineFaults
    ) -> LiveCall:
        plan = CallPlan(
            call_id=self.account.new_call_id(),
            dialled=dialled,
            caller=caller,
            voice_url=self._voice_url,
            status_url=self._status_url,
            pace=self._pace,
            extra_fields=tuple(extra_fields.items()),
            media_url=self._media_url,
        )
        webhooks = Webhooks(self._route, self._http, faults)
        state = CallState(plan, CallRecord(plan.call_id), webhooks, told_over=self._told_over)
        live = LiveCall(state, self.account.dialect(state), self._route, faults)
        self.calls[plan.call_id] = live
        self._dialled(plan)
        return live

    async def _stream_or_fault(self, live: LiveCall) -> None:
        try:
            await live.streaming()
        except Exception:
            fault: CarrierFault | None = next(iter(live.record.faults), None)
            if fault is not None:
                raise fault from None
            raise

    async def _finish(self, running: asyncio.Task[None]) -> None:
        async with asyncio.timeout(HANG_UP_LIMIT_S):
            await running
