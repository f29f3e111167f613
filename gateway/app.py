"""Composes the gateway: `build_app(settings)`. Its lifespan owns all that is open, and closes it in order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from starlette.applications import Starlette

from booking.errors import BookingError
from gateway.api import mount, operator_pages
from gateway.api.opening import open_api
from gateway.calls import Calls
from gateway.composition.api import api_context
from gateway.composition.background import changes_heard, loop_watched, open_feed, turns_judged
from gateway.composition.desk import Opened, make_desk, open_traces, open_turbo
from gateway.composition.edge import make_edge
from gateway.composition.foundation import open_foundation
from gateway.composition.operators import open_operator_pages
from gateway.jobs import open_jobs
from gateway.knowledge.meaning import open_meaning
from gateway.prewarm import PROCESS_KEYS, Clients
from gateway.recording.opening import open_recorders
from gateway.routes import (
    guides,
    ops,
    plivo,
    plivo_handover,
    plivo_placed,
    raw,
    sms,
    telnyx,
    twilio,
    twilio_handover,
    twilio_placed,
    unreasonable,
    vapi,
    vapi_services,
    vonage,
    vonage_handover,
    vonage_placed,
)
from gateway.routes.edge import Edge
from gateway.routes.opening import open_carriers
from gateway.sealing import open_vault
from gateway.settings import Settings
from gateway.texts import open_texts
from gateway.vapi.calls import VapiCalls
from pipeline.runner import DEFAULT_PHRASES

log = structlog.get_logger("gateway.app")


def build_app(settings: Settings) -> Starlette:
    """The ASGI application. Nothing is opened before its lifespan starts; `app.state.edge` is there in it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            edge = await _entered(stack, settings)
            api = await stack.enter_async_context(open_api(api_context(edge), edge.desk.clock))
            app.state.edge, app.state.api = edge, api
            app.state.operator_pages = await stack.enter_async_context(open_operator_pages(edge, api))
            yield

    calls = [
        *twilio.ROUTES,
        *twilio_placed.ROUTES,
        *plivo_placed.ROUTES,
        *twilio_handover.ROUTES,
        *plivo.ROUTES,
        *plivo_handover.ROUTES,
        *telnyx.ROUTES,
        *vonage.ROUTES,
        *vonage_placed.ROUTES,
        *vonage_handover.ROUTES,
        *raw.ROUTES,
        *vapi.ROUTES,
    ]
    ours = [*calls, *vapi_services.ROUTES, *sms.ROUTES, *guides.ROUTES, *ops.ROUTES]
    routes = [*ours, *operator_pages.ROUTES, *mount.ROUTES]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=unreasonable.HANDLERS)


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


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Edge]:
    """Calls end before the clients they use, those before background work, that before the stores."""
    if settings.local_bench:
        log.warning("carrier_checks_are_off", reason="GATEWAY_LOCAL_BENCH")
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(open_foundation(settings))
        pool, metrics = base.pool, base.metrics
        feed = await stack.enter_async_context(open_feed(base))
        clients = await stack.enter_async_context(Clients(settings))
        vault = open_vault(settings)
        texts = await stack.enter_async_context(open_texts(settings, pool, vault, metrics))
        if settings.jobs.here:
            await stack.enter_async_context(open_jobs(settings, pool, vault, texts.messages, metrics))
        await stack.enter_async_context(loop_watched(base))
        traces = await stack.enter_async_context(open_traces(base))
        turbo = await stack.enter_async_context(open_turbo(base, clients))
        meaning = await stack.enter_async_context(
            open_meaning(settings.embeddings, pool, base.clock, metrics, base.group)
        )
        recorders = await stack.enter_async_context(
            open_recorders(settings, pool, vault, metrics, base.clock)
        )
        opened = Opened(feed, clients, vault, texts, traces, turbo, meaning, recorders)
        desk = make_desk(base, opened)
        await stack.enter_async_context(turns_judged(base, desk))
        desk.phrases.want(clients.voice(PROCESS_KEYS, None), [each.text for each in DEFAULT_PHRASES.values()])
        await stack.enter_async_context(changes_heard(base, desk))
        carriers = await stack.enter_async_context(open_carriers(desk))
        vapi_calls = await stack.enter_async_context(VapiCalls(desk))
        calls = await stack.enter_async_context(Calls(desk))
        yield make_edge(base, desk, calls, carriers, vapi_calls)
