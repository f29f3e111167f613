"""A Twilio account with a phone number that points at the gateway: places calls into it, obeys REST orders
about them.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.carrier.call import HANG_UP_LIMIT_S, CallPlan, LiveCall
from bench.carrier.errors import CarrierFault
from bench.carrier.webhooks import Route, Webhooks, open_client

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The credentials that both sides know."""

    sid: str = "AC" + "0" * 32
    auth_token: str = "0" * 32

    def __repr__(self) -> str:
        return f"TwilioAccount({self.sid})"


class TwilioCarrier:
    """Calls into a gateway, as that account's number would. An async context manager: it owns its HTTP
    client.

    `public_url` is the gateway's configured public address and what is signed; `connect_url` is where it
    listens (default: the same). `pace` is the speed of stream time against real time; 1 is a telephone.
    `voice_url` and `status_url`: the number's webhooks, by default our own gateway's routes; with `voice_url`
    alone no status is told. `media_url`: no webhook at all, calls go straight to that media socket.
    `dialled` is told of each call before the gateway is, so that the account's REST interface can know it.
    """

    def __init__(
        self,
        public_url: str,
        account: TwilioAccount | None = None,
        *,
        connect_url: str | None = None,
        pace: float = 1.0,
        voice_url: str | None = None,
        status_url: str | None = None,
        media_url: str | None = None,
        dialled: Callable[[CallPlan], None] = lambda plan: None,
    ) -> None:
        self.account = account or TwilioAccount()
        self.calls: dict[str, LiveCall] = {}
        self._public_url = public_url.rstrip("/")
        self._route = Route(self._public_url, (connect_url or public_url).rstrip("/"))
        self._pace = pace
        own = voice_url is None and media_url is None
        self._voice_url = voice_url or self._public_url + VOICE_PATH
        self._status_url = self._public_url + STATUS_PATH if own else status_url
        self._media_url = media_url
        self._dialled = dialled

    async def __aenter__(self) -> Self:
        self._http = open_client()
        self._webhooks = Webhooks(self._route, self.account.auth_token, self._http)
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
    ) -> AsyncIterator[LiveCall]:
        """Dial a number. The body is the caller; leaving it hangs up.

        With `wait_for_stream` the body starts when the media stream runs, and `CarrierFault` or `CallOver` is
        raised if there is none. With `strict` the first fault of the gateway is raised when the body has
        ended without an error of its own; without it, faults are left in the record.
        """
        live = self._new_call(dialled, caller, extra_fields or {})
        running = asyncio.create_task(live.run(), name=f"call {live.plan.call_sid}")
        try:
            if wait_for_stream:
                await self._stream_or_fault(live)
            yield live
        finally:
            live.hang_up()
            await self._finish(running)
            self.calls.pop(live.plan.call_sid, None)
        if strict and live.record.faults:
            raise live.record.faults[0]

    def complete(self, call_sid: str) -> bool:
        """REST `Status=completed`; False (404, 20404) if there is no such live call."""
        live = self.calls.get(call_sid)
        return live is not None and live.complete()

    def _new_call(self, dialled: str, caller: str, extra_fields: Mapping[str, str]) -> LiveCall:
        plan = CallPlan(
            account_sid=self.account.sid,
            call_sid=new_sid("CA"),
            dialled=dialled,
            caller=caller,
            voice_url=self._voice_url,
            status_url=self._status_url,
            pace=self._pace,
            extra_fields=tuple(extra_fields.items()),
            media_url=self._media_url,
        )
        live = LiveCall(plan, self._route, self._webhooks, new_sid)
        self.calls[plan.call_sid] = live
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


def new_sid(prefix: str) -> str:
    """A SID as Twilio makes them: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)
