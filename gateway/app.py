"""Composes the gateway: `build_app(settings)`. Its lifespan owns all that is open, and closes it in order."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
import structlog
from starlette.applications import Starlette

from booking.db import open_pool
from booking.errors import BookingError
from compliance.vault import Vault
from gateway.admission import Admission
from gateway.api import mount, operator_pages
from gateway.api.mount import Api
from gateway.api.opening import open_api
from gateway.api.operations import ApiContext
from gateway.api.operator_pages import OperatorPages
from gateway.audio_calls import AudioCalls
from gateway.call import Desk
from gateway.calls import Calls
from gateway.endings import Endings
from gateway.feed import Feed
from gateway.garbage import watch_garbage
from gateway.gear import Gear, turbo_settings
from gateway.hedging import Hedges
from gateway.jobs import open_jobs
from gateway.knowledge.meaning import Meaning, open_meaning
from gateway.knowledge.retrieval import Knowledge, documents_source
from gateway.latency_profiles import LatencyProfiles
from gateway.loop_lag import watch_loop
from gateway.metrics import Metrics
from gateway.phrases import PhraseCache
from gateway.prewarm import PROCESS_KEYS, Clients
from gateway.readiness import Readiness
from gateway.refusals import Refusals
from gateway.returning import ReturningCallers
from gateway.routes import (
    guides,
    ops,
    plivo,
    raw,
    sms,
    telnyx,
    twilio,
    twilio_placed,
    vapi,
    vapi_services,
    vonage,
)
from gateway.routes.edge import Edge
from gateway.routes.opening import Carriers, open_carriers
from gateway.sealing import VaultSealer, open_vault
from gateway.settings import Settings
from gateway.shared_store import SharedStore
from gateway.spans import Traces
from gateway.status.access import Access
from gateway.status.asked import Turns
from gateway.status.board import Board
from gateway.status.watch import Watch
from gateway.tenancy.accounts import Accounts, Keeper
from gateway.tenancy.cache import LayeredCache, Lives, Source
from gateway.tenancy.changes import Changes
from gateway.tenancy.credentials import VapiAccount, credentials_source
from gateway.tenancy.forgetting import OrgMemory
from gateway.tenancy.resolve import number_source, profile_source
from gateway.tenancy.secrets import OrgSecrets
from gateway.texts import Texts, open_texts
from gateway.vapi.answering import Assistants
from gateway.vapi.calls import VapiCalls
from gateway.vapi.settling import settling_of
from pipeline.providers.cartesia import fetch_phrase
from pipeline.runner import DEFAULT_PHRASES

log = structlog.get_logger("gateway.app")

K = TypeVar("K")
V = TypeVar("V")


def build_app(settings: Settings) -> Starlette:
    """The ASGI application. Nothing is opened before its lifespan starts; `app.state.edge` is there in it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            edge = await _entered(stack, settings)
            api = await stack.enter_async_context(open_api(_api_context(edge), edge.desk.clock))
            app.state.edge, app.state.api = edge, api
            app.state.operator_pages = await stack.enter_async_context(_operator_pages(edge, api))
            yield

    calls = [
        *twilio.ROUTES,
        *twilio_placed.ROUTES,
        *plivo.ROUTES,
        *telnyx.ROUTES,
        *vonage.ROUTES,
        *raw.ROUTES,
        *vapi.ROUTES,
    ]
    ours = [*calls, *vapi_services.ROUTES, *sms.ROUTES, *guides.ROUTES, *ops.ROUTES]
    return Starlette(routes=[*ours, *operator_pages.ROUTES, *mount.ROUTES], lifespan=lifespan)


@asynccontextmanager
async def _operator_pages(edge: Edge, api: Api) -> AsyncIterator[OperatorPages]:
    desk = edge.desk
    turns = Turns(edge.readiness.store, desk.latency)
    async with Access(desk.pool, turns, edge.settings.jobs.url) as access, asyncio.TaskGroup() as group:
        watch = Watch(access.sources, edge.metrics)
        watching = [group.create_task(watch.run())] if access.known else []
        try:
            yield OperatorPages(api.guard, desk.latency, Board(access))
        finally:
            for task in watching:
                task.cancel()


async def _entered(stack: AsyncExitStack, settings: Settings) -> Edge:
    """One line tells why it cannot be opened."""
    try:
        return await stack.enter_async_context(_opened(settings))
    except BookingError as error:
        log.error("database_refused", error=type(error).__name__, reason=str(error))
        raise
    except Exception as error:
        log.error("start_failed", exc_info=error)
        raise


class MonotonicClock:
    """The process's clock; satisfies `pipeline.ports.Clock`."""

    def now_s(self) -> float:
        return time.monotonic()


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Foundation:
    """What the rest is built on."""

    settings: Settings
    pool: asyncpg.Pool
    store: SharedStore
    group: asyncio.TaskGroup
    metrics: Metrics
    clock: MonotonicClock


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Edge]:
    """Calls end before the clients they use, those before background work, that before the stores."""
    if settings.local_bench:
        log.warning("carrier_checks_are_off", reason="GATEWAY_LOCAL_BENCH")
    async with AsyncExitStack() as stack:
        pool = await _open_pool(settings)
        stack.push_async_callback(_close_pool, pool, settings.waits.call_close_s)
        metrics = Metrics()
        store = await stack.enter_async_context(
            SharedStore(settings.redis_url, metrics, command_s=settings.waits.redis_s)
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        base = _Foundation(settings, pool, store, group, metrics, MonotonicClock())
        feed = await stack.enter_async_context(_feed(base))
        clients = await stack.enter_async_context(Clients(settings))
        vault = open_vault(settings)
        texts = await stack.enter_async_context(open_texts(settings, pool, vault, metrics))
        if settings.jobs.here:
            await stack.enter_async_context(open_jobs(settings, pool, vault, texts.messages, metrics))
        await stack.enter_async_context(_loop_watched(base))
        traces = await stack.enter_async_context(_traces(base))
        turbo = await stack.enter_async_context(_turbo(base, clients))
        meaning = await stack.enter_async_context(
            open_meaning(settings.embeddings, pool, base.clock, metrics, group)
        )
        desk = _desk(base, feed, clients, vault, texts, traces, turbo, meaning)
        await stack.enter_async_context(_judging(base, desk))
        desk.phrases.want(clients.voice(PROCESS_KEYS, None), [each.text for each in DEFAULT_PHRASES.values()])
        await stack.enter_async_context(_changes(base, desk))
        carriers = await stack.enter_async_context(open_carriers(desk))
        vapi_calls = await stack.enter_async_context(VapiCalls(desk))
        calls = await stack.enter_async_context(Calls(desk))
        yield _edge(base, desk, calls, carriers, vapi_calls)


async def _open_pool(settings: Settings) -> asyncpg.Pool:
    return await open_pool(
        settings.database_url,
        max_size=settings.limits.database_connections,
        statement_timeout_s=settings.waits.database_s,
    )


async def _close_pool(pool: asyncpg.Pool, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def _feed(base: _Foundation) -> AsyncIterator[Feed]:
    feed = Feed(base.store, base.metrics, size=base.settings.limits.feed_events)
    publishing = base.group.create_task(feed.run())
    try:
        yield feed
    finally:
        publishing.cancel()
        await feed.close(base.settings.waits.call_close_s)


@asynccontextmanager
async def _changes(base: _Foundation, desk: Desk) -> AsyncIterator[None]:
    """What other replicas change is forgotten here."""
    waits = base.settings.waits
    caches = (desk.numbers, desk.profiles, desk.credentials, desk.knowledge.documents)
    changes = Changes(base.store, caches, quiet_s=waits.changes_quiet_s, retry_s=waits.changes_retry_s)
    listening = base.group.create_task(changes.run())
    try:
        yield
    finally:
        listening.cancel()


@asynccontextmanager
async def _loop_watched(base: _Foundation) -> AsyncIterator[None]:
    watching = [base.group.create_task(watch(base.metrics)) for watch in (watch_loop, watch_garbage)]
    try:
        yield
    finally:
        for task in watching:
            task.cancel()


@asynccontextmanager
async def _judging(base: _Foundation, desk: Desk) -> AsyncIterator[None]:
    judging = base.group.create_task(desk.latency.run())
    try:
        yield
    finally:
        judging.cancel()


@asynccontextmanager
async def _turbo(base: _Foundation, usual: Clients) -> AsyncIterator[Gear]:
    settings = turbo_settings(base.settings)
    async with Clients(settings, usual=usual) as clients:
        yield Gear(clients, Hedges(settings.hedging, clients, base.metrics), settings.conversation)


@asynccontextmanager
async def _traces(base: _Foundation) -> AsyncIterator[Traces | None]:
    """The tracing module needs an extra that those without a collector do not install."""
    otel = base.settings.otel
    if not otel.endpoint:
        yield None
        return
    from gateway.tracing import open_tracing

    async with open_tracing(otel, base.clock, close_s=base.settings.waits.call_close_s) as tracing:
        yield tracing


def _desk(
    base: _Foundation,
    feed: Feed,
    clients: Clients,
    vault: Vault,
    texts: Texts,
    traces: Traces | None,
    turbo: Gear,
    meaning: Meaning | None,
) -> Desk:
    waits = base.settings.waits
    lives = Lives(
        memory_s=waits.credentials_memory_s,
        redis_s=waits.credentials_redis_s,
        unknown_s=waits.unknown_s,
        source_s=waits.database_s,
    )
    caches = base.settings.speedups.caches
    if not caches:
        lives = lives.without_layers()

    def cached(source: Source[K, V]) -> LayeredCache[K, V]:
        return LayeredCache(
            source, lives, store=base.store, group=base.group, clock=base.clock, metrics=base.metrics
        )

    phrases = PhraseCache(
        fetch_phrase,
        store=base.store,
        group=base.group,
        clock=base.clock,
        fetch_s=waits.phrase_s,
        keeps=caches,
    )
    return Desk(
        settings=base.settings,
        pool=base.pool,
        numbers=cached(number_source(base.pool)),
        profiles=cached(profile_source(base.pool)),
        credentials=cached(credentials_source(base.pool)),
        vault=vault,
        texts=texts,
        clients=clients,
        hedges=Hedges(base.settings.hedging, clients, base.metrics),
        phrases=phrases,
        knowledge=Knowledge(
            base.pool,
            cached(documents_source(base.pool)),
            base.clock,
            base.metrics,
            deadline_s=waits.knowledge_deadline_s,
            passages=base.settings.limits.knowledge_passages,
            meaning=meaning,
        ),
        feed=feed,
        metrics=base.metrics,
        clock=base.clock,
        now=utc_now,
        traces=traces,
        turbo=turbo,
        callers=_callers(base, vault),
        latency=LatencyProfiles(
            base.store,
            base.pool,
            base.metrics,
            base.settings.latency,
            switches=base.settings.turbo.switches,
        ),
    )


def _callers(base: _Foundation, vault: Vault) -> ReturningCallers | None:
    if not base.settings.knows_callers:
        return None
    deadline_s = base.settings.waits.caller_deadline_s
    return ReturningCallers(base.pool, VaultSealer(vault), base.clock, base.metrics, deadline_s)


def _at_vapi(base: _Foundation, desk: Desk) -> Accounts[VapiAccount]:
    vapi = base.settings.vapi
    ours = VapiAccount(vapi.api_key, vapi.auth, vapi.llm_key, vapi.region) if vapi.auth is not None else None
    keeper = Keeper(ours, lambda keys: keys.vapi)
    return Accounts(keeper, desk.credentials, desk.vault, lookup_s=base.settings.waits.webhook_s / 4)


def _edge(base: _Foundation, desk: Desk, calls: Calls, carriers: Carriers, vapi_calls: VapiCalls) -> Edge:
    admission = Admission(
        base.settings.master_key,
        base.store,
        life_s=base.settings.waits.token_s,
        now_s=time.time,
        older=base.settings.master_keys[1:],
    )
    return Edge(
        settings=base.settings,
        twilio=carriers.twilio,
        twilio_orders=carriers.twilio_orders,
        plivo=carriers.plivo,
        telnyx=carriers.telnyx,
        telnyx_orders=carriers.telnyx_orders,
        vonage=carriers.vonage,
        raw=carriers.raw,
        desk=desk,
        calls=calls,
        admission=admission,
        endings=Endings(base.store, base.clock),
        readiness=Readiness(base.pool, base.store),
        refusals=Refusals(base.pool, base.clock, within_s=base.settings.waits.webhook_s / 2),
        vapi=_at_vapi(base, desk),
        vapi_calls=vapi_calls,
        vapi_settling=settling_of(base.settings, vapi_calls.sharing, base.metrics, vapi_calls.closed),
        vapi_assistants=Assistants(base.pool, base.settings.public_url),
    )


def _api_context(edge: Edge) -> ApiContext:
    desk = edge.desk
    return ApiContext(
        settings=edge.settings,
        pool=desk.pool,
        sealer=VaultSealer(desk.vault),
        keys=VaultSealer(desk.vault).keys,
        verification=desk.texts.verification,
        metrics=edge.metrics,
        now=desk.now,
        secrets=OrgSecrets(desk.pool, desk.vault),
        memory=OrgMemory(desk.numbers, desk.profiles, desk.credentials),
        audio_calls=AudioCalls(edge.calls, edge.admission, edge.endings, desk.vault, edge.settings),
    )
