"""Callers who come by Telnyx and are put through: a person is rung up on a leg of their own.

The caller's stream is stopped and they hear it ringing. A person who picks up hears what the caller wants,
and once that is said both legs are bridged; Telnyx then ends each with the other. When the person's leg ends
before that, a stream is opened in the caller's again. What each leg's webhooks bring back says which leg of
which handover it is. Telnyx docs, "Dial", "Bridge calls", "Play audio URL", "Call commands" (read 2026-11).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import Response

from booking.errors import BookingUnavailable, HandoverUnknown
from booking.handovers import Handover, answer_handover, find_handover
from booking.types import Claim
from gateway.carriers.ringing_tone import ringing_tone
from gateway.carriers.telnyx import CALL_ID, client_state
from gateway.control.telnyx import TelnyxControl
from gateway.errors import CarrierRefused
from gateway.handover import HandoverOrder, announced
from gateway.placed_address import placed_state, read_placed
from gateway.routes.handed_over import Handed
from gateway.routes.ringing import Line
from gateway.routes.telnyx_event import CLINIC, FROM, TO, TelnyxEvent, TelnyxOrders
from gateway.settings import Settings
from gateway.tenancy.credentials import TelnyxAccount

log = structlog.get_logger("gateway.webhooks")

RINGING_TONE: Final = "/telnyx/ringing.wav"
_HANDOVER, _ROLE, _OTHER, _TALKED, _VOID = "handover", "role", "leg", "talked", "void"
_YES: Final = "1"
_WANTED: Final = frozenset({"asked", "answered"})
"""Not if the caller is gone, or has been told that nobody could be rung up."""
_LONGEST_S: Final = 14_400  # Telnyx's own
_SHORTEST_S: Final = 30
_NOT_DONE: Final = (CarrierRefused, ConnectionError)
Role = Literal["caller", "person"]


@dataclass(frozen=True, slots=True)
class TelnyxHandover:
    """Satisfies what `Carrier.hand_over` is."""

    control: TelnyxControl
    settings: Settings

    async def order(self, call_id: str, account: TelnyxAccount, order: HandoverOrder) -> None:
        """Raises as `TelnyxControl.order`; then nobody is rung any more."""
        state = _caller_told(order) | {CLINIC: order.org_id.hex, _HANDOVER: order.handover_id.hex}
        person = await self._rung(call_id, account, order, state)
        handed = client_state(state | {_ROLE: "caller", _OTHER: person})
        once = {"client_state": handed, "command_id": f"{order.handover_id}-stop"}
        try:
            await self.control.order(account, call_id, "streaming_stop", once)
        except _NOT_DONE:
            await self._given_up(person, call_id, account, state)
            raise
        await self._ringing(call_id, account, order)

    async def _rung(
        self, call_id: str, account: TelnyxAccount, order: HandoverOrder, state: Mapping[str, str]
    ) -> str:
        """The person's leg."""
        connection_id = await self.control.connection(account, order.ends.dialled)
        if connection_id is None:  # no number of the account's to ring up from
            raise CarrierRefused(404)
        fields = {
            "connection_id": connection_id,
            "to": order.number,
            "from": order.ends.dialled,
            "link_to": call_id,
            "timeout_secs": order.ring_s,
            "time_limit_secs": min(max(order.longest_s, _SHORTEST_S), _LONGEST_S),
            "client_state": client_state({**state, _ROLE: "person", _OTHER: call_id}),
            "command_id": str(order.handover_id),
        }
        return await self.control.dial(account, fields)

    async def _given_up(
        self, person: str, call_id: str, account: TelnyxAccount, state: Mapping[str, str]
    ) -> None:
        void = client_state({**state, _ROLE: "person", _OTHER: call_id, _VOID: _YES})
        fields = {"client_state": void}
        with suppress(*_NOT_DONE):
            await self.control.order(account, person, "hangup", fields)

    async def _ringing(self, call_id: str, account: TelnyxAccount, order: HandoverOrder) -> None:
        """Without it, silence."""
        tone = {"audio_url": self.settings.public(RINGING_TONE), "audio_type": "wav", "loop": "infinity"}
        once = {"command_id": f"{order.handover_id}-ring"}
        with suppress(*_NOT_DONE):
            await self.control.order(account, call_id, "playback_start", tone | once)


@dataclass(frozen=True, slots=True)
class HandedLeg:
    """A webhook of one of the two legs. `other`: the other's id."""

    event: TelnyxEvent
    handed: Handed[TelnyxAccount]
    role: Role
    other: str

    @classmethod
    def of(cls, event: TelnyxEvent) -> "HandedLeg | None":
        """None if it is of no call that is being put through, or signed by another clinic's account."""
        state, role = event.state, event.state.get(_ROLE)
        try:
            org_id, handover_id = UUID(hex=state[CLINIC]), UUID(hex=state[_HANDOVER])
        except (KeyError, ValueError):
            return None
        if role not in ("caller", "person") or not event.signer.speaks_for(org_id):
            return None
        other = state.get(_OTHER, "")
        if not CALL_ID.fullmatch(other):
            return None
        handed: Handed[TelnyxAccount] = Handed(event.edge, org_id, handover_id)
        return cls(event, handed, "caller" if role == "caller" else "person", other)

    async def answered(self) -> Response | None:
        """None for what means the same in any call. Raises as `TelnyxOrders.order`."""
        return await (self._callers() if self.role == "caller" else self._persons())

    async def _callers(self) -> Response | None:
        match self.event.kind:
            case "streaming.stopped" | "streaming.failed":  # that was meant
                return Response(status_code=200)
            case "call.hangup":
                await self._orders(self.other).hang_up()
        return None

    async def _persons(self) -> Response:
        match self.event.kind:
            case "call.answered":
                return await self._announced()
            case "call.speak.ended":
                return await self._bridged()
            case "call.hangup":
                return await self._over()
        return Response(status_code=200)

    async def _announced(self) -> Response:
        """Answered once it is said: told once more, since the order was not taken, it says the same."""
        orders, summary = self.event.orders(), None
        if await self.event.edge.endings.is_over(self.other):
            return await orders.hang_up()
        with suppress(BookingUnavailable):  # the caller is not kept waiting for that
            found = await self._found()
            if found is None or found.state not in _WANTED:
                return await orders.hang_up()
            summary = found.summary
        answer = await orders.say(announced(summary), self.event.state)
        with suppress(BookingUnavailable, HandoverUnknown):
            await answer_handover(self._pool, self._claim, handover_id=self.handed.handover_id)
        return answer

    @property
    def _pool(self) -> asyncpg.Pool:
        return self.event.edge.desk.pool

    @property
    def _claim(self) -> Claim:
        return Claim(self.handed.org_id)

    async def _found(self) -> Handover | None:
        """Raises `BookingUnavailable`."""
        return await find_handover(self._pool, self._claim, handover_id=self.handed.handover_id)

    async def _bridged(self) -> Response:
        """From then on the person's webhooks say that they have talked. They hang up if it cannot be done."""
        orders = self.event.orders()
        if await self.event.edge.endings.is_over(self.other):
            return await orders.hang_up()
        await self._silenced()
        talked = client_state({**self.event.state, _TALKED: _YES})
        try:
            return await orders.order("bridge", {"call_control_id": self.other, "client_state": talked})
        except CarrierRefused:
            log.warning("not_bridged", stream=self.other)
            return await orders.hang_up()

    async def _silenced(self) -> None:
        """Neither the ringing nor a stream is in the caller's leg, whoever has opened one after a crash."""
        state = {**self._told(), CLINIC: self.handed.org_id.hex, _HANDOVER: self.handed.handover_id.hex}
        handed = client_state({**state, _ROLE: "caller", _OTHER: self.event.call_id})
        for action, fields in (("playback_stop", {}), ("streaming_stop", {"client_state": handed})):
            with suppress(CarrierRefused):  # there may be none
                await self._orders(self.other).order(action, fields)

    async def _over(self) -> Response:
        """Once, though Telnyx tells it twice: the caller's stream is not opened a second time."""
        event, endings = self.event, self.event.edge.endings
        if await endings.is_over(event.call_id) or await self._is_void():
            return Response(status_code=200)
        talked = event.state.get(_TALKED) == _YES
        if not talked:
            with suppress(CarrierRefused):  # it may not have been heard ringing
                await self._orders(self.other).order("playback_stop", {})
        answer = await self.handed.over(self._line(), talked=talked)
        await endings.mark_over(event.call_id)
        return answer

    async def _is_void(self) -> bool:
        """The caller is gone, or has stayed with the agent."""
        if self.event.state.get(_VOID) == _YES or await self.event.edge.endings.is_over(self.other):
            return True
        with suppress(BookingUnavailable):
            found = await self._found()
            return found is not None and found.state == "failed"
        return False

    def _line(self) -> Line[TelnyxAccount]:
        """The caller's own leg, with them back."""
        return self.event.line_of(self.other, self._told(), came_back=True)

    def _told(self) -> dict[str, str]:
        """Of the caller's leg, whichever the event is of."""
        state = self.event.state
        placed = read_placed(state)
        told = {name: state.get(name, "") for name in (FROM, TO)}
        return told if placed is None else told | placed_state(*placed)

    def _orders(self, call_id: str) -> TelnyxOrders:
        return replace(self.event.orders(), call_id=call_id)


def _caller_told(order: HandoverOrder) -> dict[str, str]:
    """Who calls whom, and of which attempt of ours it is, as the call's own webhooks tell it."""
    caller, dialled = order.ends.caller or "", order.ends.dialled
    placed = read_placed(order.told)
    if placed is None:
        return {FROM: caller, TO: dialled}
    return {FROM: dialled, TO: caller, **placed_state(*placed)}


async def ringing(_request: Request) -> Response:
    """What a caller hears who is being put through; for everybody, as Telnyx fetches it without a word."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(ringing_tone(), media_type="audio/wav", headers=headers)
