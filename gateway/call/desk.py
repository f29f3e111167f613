"""What all calls of a process share, and the org that a call reached."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from booking.handovers import NOBODY, HandoverRules
from booking.types import OrgProfile
from compliance.vault import Vault
from gateway.call.recollection import Recollections
from gateway.feed import Feed
from gateway.gear import Gear
from gateway.hedging import Hedges
from gateway.knowledge.retrieval import Knowledge
from gateway.latency_profiles import LatencyProfiles
from gateway.metrics import Metrics
from gateway.phrases import PhraseCache
from gateway.prewarm import Clients
from gateway.recording.recorders import Recorders
from gateway.returning import ReturningCallers
from gateway.settings import Settings
from gateway.spans import Traces
from gateway.tenancy.cache import LayeredCache
from gateway.tenancy.credentials import CredentialCache, OrgKeys
from gateway.texts import Texts
from pipeline.ports import Clock


@dataclass(frozen=True, slots=True)
class Office:
    """The org that a call reached: its profile and its own provider keys.

    The profile is as this call presents it; `besides` is what the model is told of this call alone, `sound`
    whether it may be recorded, consent given.
    """

    profile: OrgProfile
    keys: OrgKeys
    turbo: bool = False
    handover: HandoverRules = NOBODY
    besides: str = ""
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Desk:
    """What all calls of the process share."""

    settings: Settings
    pool: asyncpg.Pool
    numbers: LayeredCache[str, UUID]
    profiles: LayeredCache[UUID, OrgProfile]
    credentials: CredentialCache
    vault: Vault
    texts: Texts
    clients: Clients
    hedges: Hedges
    phrases: PhraseCache
    knowledge: Knowledge
    feed: Feed
    metrics: Metrics
    clock: Clock
    now: Callable[[], datetime]
    latency: LatencyProfiles
    turbo: Gear
    callers: ReturningCallers | None = None
    traces: Traces | None = None
    recorders: Recorders | None = None
    recollections: Recollections = field(default_factory=Recollections)

    def gear(self, office: Office) -> Gear:
        """What this org's calls are made with now."""
        return self.turbo if office.turbo else Gear(self.clients, self.hedges, self.settings.conversation)
