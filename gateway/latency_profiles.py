"""Each org's latency profile: rolling TTFB in Redis, where all replicas see it, and what follows from it.

New turns cost Redis three round trips an org, however many they are, in a task of their own and never on a
call's path: they are added to the org's sorted set, bounded in age and number, and the org to the set of
those with turns; then the org's state is read. A change of state is put only over the state that it was
derived from, so of all replicas one switches an org, and records it: audit entry, log line, metric. While
Redis is away each replica goes by the turns and the state that it knows.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec
import structlog

from booking.audit import record
from booking.errors import BookingError
from booking.types import Actor, Claim
from gateway.errors import SharedStoreAway
from gateway.latency import Figures, LatencyRules, OrgState, Profile, Turn, figures, next_state
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore

log = structlog.get_logger("gateway.latency")

FRESH_S: Final = 5.0
"""A call that begins takes an org's profile from memory for so long."""
GATHER_S: Final = 0.25
"""So long are turns gathered, to be judged together."""
_STATE_LIFE_S: Final = 30 * 24 * 3600
_ORGS: Final = 1_024
_TOLD: Final = 100
_WAITING: Final = 1_000
_ORGS_KEY: Final = "gw:latency:orgs"


@dataclass(slots=True)
class _Known:
    """What this process knows of an org by itself."""

    turns: deque[Turn]
    state: OrgState = field(default_factory=OrgState)
    read_at_s: float = float("-inf")


@dataclass(frozen=True, slots=True)
class OrgLatency:
    """One line of the report."""

    org_id: UUID
    figures: Figures
    state: OrgState


class LatencyProfiles:
    """One process's view of all orgs. `run` is its task. `switches`: whether orgs change their profile."""

    def __init__(
        self,
        store: SharedStore,
        pool: asyncpg.Pool,
        metrics: Metrics,
        rules: LatencyRules,
        *,
        switches: bool = True,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._pool = pool
        self._metrics = metrics
        self._rules = rules
        self._switches = switches
        self._now_s = now_s
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._waiting: deque[tuple[UUID, Turn]] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()

    def waited(self, org_id: UUID, waited_ms: float) -> None:
        """A turn's caller waited so long for its answer. Returns at once; if too many wait, the oldest go."""
        self._waiting.append((org_id, Turn(self._now_s(), waited_ms)))
        self._news.set()

    async def run(self) -> None:
        """Judge turns as they come, until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER_S)
            self._news.clear()
            await self.settle()

    async def settle(self) -> None:
        """Judge all turns that wait."""
        for org_id, turns in self._taken().items():
            try:
                await self._judge(org_id, turns)
            except Exception as error:  # the edge of a worker whose group holds the whole gateway
                log.error("latency_not_judged", org=str(org_id), exc_info=error)

    def _taken(self) -> dict[UUID, list[Turn]]:
        """All that wait, by org, in their order."""
        taken: dict[UUID, list[Turn]] = {}
        while self._waiting:
            org_id, turn = self._waiting.popleft()
            taken.setdefault(org_id, []).append(turn)
        return taken

    async def profile(self, org_id: UUID) -> Profile:
        """What the org's next call runs on. Never raises: without Redis, what was known last."""
        if not self._switches:
            return "normal"
        known = self._of(org_id)
        if self._now_s() - known.read_at_s > FRESH_S:
            try:
                await self._read_state(org_id)
            except SharedStoreAway:
                known.read_at_s = self._now_s()
        return known.state.profile

    async def report(self, org_id: UUID | None = None) -> list[OrgLatency]:
        """Of one org, or of those with the newest turns. Without Redis: what this process knows itself."""
        try:
            ids = [org_id] if org_id else await self._newest_orgs()
            return [await self._shared_line(each) for each in ids]
        except SharedStoreAway:
            ids = [org_id] if org_id else list(self._known)[-_TOLD:]
            return [self._own_line(each) for each in ids]

    async def _newest_orgs(self) -> list[UUID]:
        return [UUID(bytes=key) for key in await self._store.newest(_ORGS_KEY, _TOLD)]

    async def _judge(self, org_id: UUID, new: list[Turn]) -> None:
        known = self._of(org_id)
        known.turns.extend(new)
        try:
            turns = await self._add(org_id, new)
            seen = await self._read_state(org_id)
        except SharedStoreAway:
            turns, seen, shared = list(known.turns), None, False
        else:
            shared = True
        measured = figures(turns, known.state, self._now_s(), self._rules)
        self._metrics.latency_judged.labels(measured.status, known.state.profile).inc(len(new))
        await self._follow(org_id, measured, seen, shared=shared)

    async def _follow(self, org_id: UUID, measured: Figures, seen: bytes | None, *, shared: bool) -> None:
        """Carry out what follows from these figures, unless another replica was first."""
        known, now_s = self._of(org_id), self._now_s()
        after = next_state(known.state, measured, now_s, self._rules)
        if not self._switches or after == known.state:
            return
        if shared and not await self._put(org_id, seen, after):
            return
        before, known.state = known.state, after
        if before.profile != after.profile:
            await self._switched(org_id, after.profile, measured)

    async def _switched(self, org_id: UUID, profile: Profile, measured: Figures) -> None:
        self._metrics.latency_switches.labels(profile).inc()
        log.warning("latency_profile_switched", org=str(org_id), profile=profile, p95_ms=measured.p95_ms)
        action = f"latency_{profile}"
        try:
            await record(
                self._pool,
                Claim(org_id),
                actor=Actor("worker"),
                action=action,
                subject_kind="latency_profile",
            )
        except BookingError as error:
            log.error("latency_switch_not_recorded", org=str(org_id), error=type(error).__name__)

    # --- Redis ----------------------------------------------------------------------------------------------

    async def _add(self, org_id: UUID, new: list[Turn]) -> list[Turn]:
        rules, at_s = self._rules, new[-1].at_s
        added = {_member(turn): turn.at_s for turn in new}
        oldest_s = at_s - rules.window_s
        members = await self._store.add_to_window(
            _turns_key(org_id), added, oldest=oldest_s, most=rules.turns, life_s=rules.window_s
        )
        await self._store.add_to_window(
            _ORGS_KEY, {org_id.bytes: at_s}, oldest=oldest_s, most=_ORGS, life_s=rules.window_s
        )
        return list(map(_turn, members))

    async def _read_state(self, org_id: UUID) -> bytes | None:
        """What stands there; it becomes what this process knows."""
        seen = await self._store.get(_state_key(org_id))
        known = self._of(org_id)
        known.state = _state(seen)
        known.read_at_s = self._now_s()
        return seen

    async def _put(self, org_id: UUID, seen: bytes | None, state: OrgState) -> bool:
        try:
            return await self._store.put_over(
                _state_key(org_id), seen, msgspec.json.encode(state), _STATE_LIFE_S
            )
        except SharedStoreAway:
            return False  # the next turn tries again

    async def _shared_line(self, org_id: UUID) -> OrgLatency:
        members = await self._store.newest(_turns_key(org_id), self._rules.turns)
        await self._read_state(org_id)
        return self._line(org_id, list(map(_turn, members)))

    def _own_line(self, org_id: UUID) -> OrgLatency:
        return self._line(org_id, list(self._of(org_id).turns))

    def _line(self, org_id: UUID, turns: list[Turn]) -> OrgLatency:
        state = self._of(org_id).state
        return OrgLatency(org_id, figures(turns, state, self._now_s(), self._rules), state)

    def _of(self, org_id: UUID) -> _Known:
        if org_id not in self._known:
            self._known[org_id] = _Known(deque(maxlen=self._rules.turns))
            if len(self._known) > _ORGS:
                self._known.popitem(last=False)
        self._known.move_to_end(org_id)
        return self._known[org_id]


def _member(turn: Turn) -> bytes:
    """Two turns alike are two."""
    return msgspec.msgpack.encode((turn.at_s, turn.waited_ms, uuid4().bytes[:6]))


def _turn(member: bytes) -> Turn:
    at_s, waited_ms, _ = msgspec.msgpack.decode(member, type=tuple[float, float, bytes])
    return Turn(at_s, waited_ms)


def _state(seen: bytes | None) -> OrgState:
    """What another release wrote and this one cannot read counts as nothing: no call is lost by it."""
    try:
        return OrgState() if seen is None else msgspec.json.decode(seen, type=OrgState)
    except msgspec.DecodeError:
        return OrgState()


def _turns_key(org_id: UUID) -> str:
    return f"gw:latency:turns:{org_id}"


def _state_key(org_id: UUID) -> str:
    return f"gw:latency:state:{org_id}"
