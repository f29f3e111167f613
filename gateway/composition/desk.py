"""What all calls share: look-ups with their layers of memory, vendors' clients, what is known and watched."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from compliance.vault import Vault
from gateway.call import Desk
from gateway.clock import utc_now
from gateway.composition.foundation import Foundation
from gateway.feed import Feed
from gateway.gear import Gear, turbo_settings
from gateway.hedging import Hedges
from gateway.knowledge.meaning import Meaning
from gateway.knowledge.retrieval import Knowledge, documents_source
from gateway.latency_profiles import LatencyProfiles
from gateway.phrases import PhraseCache
from gateway.prewarm import Clients
from gateway.recording.recorders import Recorders
from gateway.returning import ReturningCallers
from gateway.sealing import VaultSealer
from gateway.settings import Settings
from gateway.spans import Traces
from gateway.tenancy.cache import LayeredCache, Lives, Source
from gateway.tenancy.credentials import credentials_source
from gateway.tenancy.resolve import number_source, profile_source
from gateway.texts import Texts
from pipeline.providers.cartesia import fetch_phrase

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open before a call can come."""

    feed: Feed
    clients: Clients
    vault: Vault
    texts: Texts
    traces: Traces | None
    turbo: Gear
    meaning: Meaning | None
    recorders: Recorders | None


def make_desk(base: Foundation, opened: Opened) -> Desk:
    """All of it refers to what is open; nothing is opened here."""
    lives = _lives(base.settings)
    return Desk(
        settings=base.settings,
        pool=base.pool,
        numbers=_cached(base, lives, number_source(base.pool)),
        profiles=_cached(base, lives, profile_source(base.pool)),
        credentials=_cached(base, lives, credentials_source(base.pool)),
        vault=opened.vault,
        texts=opened.texts,
        clients=opened.clients,
        hedges=Hedges(base.settings.hedging, opened.clients, base.metrics),
        phrases=_phrases(base),
        knowledge=_knowledge(base, lives, opened.meaning),
        feed=opened.feed,
        metrics=base.metrics,
        clock=base.clock,
        now=utc_now,
        traces=opened.traces,
        turbo=opened.turbo,
        callers=_callers(base, opened.vault),
        recorders=opened.recorders,
        latency=_latency(base),
    )


@asynccontextmanager
async def open_turbo(base: Foundation, usual: Clients) -> AsyncIterator[Gear]:
    """What an org gets whose calls are answered critically late."""
    settings = turbo_settings(base.settings)
    async with Clients(settings, usual=usual) as clients:
        yield Gear(clients, Hedges(settings.hedging, clients, base.metrics), settings.conversation)


@asynccontextmanager
async def open_traces(base: Foundation) -> AsyncIterator[Traces | None]:
    """The tracing module needs an extra that those without a collector do not install."""
    otel = base.settings.otel
    if not otel.endpoint:
        yield None
        return
    from gateway.tracing import open_tracing

    async with open_tracing(otel, base.clock, close_s=base.settings.waits.call_close_s) as tracing:
        yield tracing


def _lives(settings: Settings) -> Lives:
    waits = settings.waits
    lives = Lives(
        memory_s=waits.credentials_memory_s,
        redis_s=waits.credentials_redis_s,
        unknown_s=waits.unknown_s,
        source_s=waits.database_s,
    )
    return lives if settings.speedups.caches else lives.without_layers()


def _cached(base: Foundation, lives: Lives, source: Source[K, V]) -> LayeredCache[K, V]:
    return LayeredCache(
        source, lives, store=base.store, group=base.group, clock=base.clock, metrics=base.metrics
    )


def _phrases(base: Foundation) -> PhraseCache:
    return PhraseCache(
        fetch_phrase,
        store=base.store,
        group=base.group,
        clock=base.clock,
        fetch_s=base.settings.waits.phrase_s,
        keeps=base.settings.speedups.caches,
    )


def _knowledge(base: Foundation, lives: Lives, meaning: Meaning | None) -> Knowledge:
    return Knowledge(
        base.pool,
        _cached(base, lives, documents_source(base.pool)),
        base.clock,
        base.metrics,
        deadline_s=base.settings.waits.knowledge_deadline_s,
        passages=base.settings.limits.knowledge_passages,
        meaning=meaning,
    )


def _callers(base: Foundation, vault: Vault) -> ReturningCallers | None:
    if not base.settings.knows_callers:
        return None
    deadline_s = base.settings.waits.caller_deadline_s
    return ReturningCallers(base.pool, VaultSealer(vault), base.clock, base.metrics, deadline_s)


def _latency(base: Foundation) -> LatencyProfiles:
    return LatencyProfiles(
        base.store,
        base.pool,
        base.metrics,
        base.settings.latency,
        switches=base.settings.turbo.switches,
    )
