"""The one process that owns everything `make run` starts: embedded servers, offline providers, the gateway.

Order: leftovers of a killed run are stopped; Postgres, Redis and the offline providers start side by side;
the schema is migrated and the clinic seeded; then the gateway starts. The end is the reverse, whatever caused
it. One supervisor per data folder, by a lock that the kernel frees when it dies.
"""

import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bench.carrier import Carrier
from bench.carrier.dialect import CallPlan
from bench.demo.booked import give_back
from bench.demo.carriers import API_HOST, DemoAccount, new_accounts
from bench.demo.child import Child, ChildFailed
from bench.demo.clinic import CLINIC_NUMBER, DEMO_CLINIC, TRIAL_NUMBER, seed_demo_clinic
from bench.demo.plan import (
    DEFAULT_PORT,
    Plan,
    PlanImpossible,
    Provider,
    Servers,
    SimulatedTwilio,
    gateway_environment,
    new_master_key,
)
from bench.demo.ports import is_free, reserved
from bench.demo.running import Running
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.stack.postgres import EmbeddedPostgres
from bench.stack.process import owned
from bench.stack.redis import EmbeddedRedis
from booking.db import open_pool
from booking.migrate import migrate
from gateway.settings import ApiTokens, load

T = TypeVar("T")
# What was done, what came of it, in how many seconds.
Report = Callable[[str, str, float], None]
PROBE_TIMEOUT_S = 2.0
# What will be known later, in the right form: enough to judge the settings that are given.
NOWHERE = Servers(
    app_url="postgresql://localhost/x",
    redis_url="redis://localhost",
    providers={},
    port=DEFAULT_PORT,
    twilio=None,
    master_key=new_master_key(),
)


def run_folder(root: Path) -> Path:
    """Logs, pid files and the address of the demo that runs below `root`."""
    return root / ".data" / "run"


class Supervisor:
    """An async context manager: inside it, everything runs, and `carrier` places calls to what `running`
    tells of.

    Raises `PlanImpossible`, `ChildFailed`, `StackError` (`AlreadyRunning`), `SettingsInvalid` and booking's
    errors; then nothing runs.
    """

    running: Running
    carrier: Carrier

    def __init__(self, plan: Plan, root: Path, report: Report) -> None:
        self._plan = plan
        self._root = root
        self._folder = run_folder(root)
        self._report = report
        self._closing = contextlib.AsyncExitStack()
        self._simulators = Child("simulators", self._folder)
        self._gateway = Child("gateway", self._folder)
        self._twilio_api: TwilioApiSimulator | None = None
        self._accounts: Mapping[str, DemoAccount] = {}
        self._api_port = 0

    async def __aenter__(self) -> Self:
        try:
            self._closing.enter_context(owned(self._folder))
            await _in_thread(self._stop_leftovers)
            self._check()
            self.running = await self._start()
            self.carrier = await self._closing.enter_async_context(self.running.carrier(self._dialled))
        except BaseException:
            await self._closing.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    async def watch(self) -> None:
        """Wait for as long as all children run. Raises `ChildEnded`."""
        children = [self._gateway, *([self._simulators] if self._plan.offline else [])]
        try:
            async with asyncio.TaskGroup() as watching:
                for child in children:
                    watching.create_task(child.watch())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    def _check(self) -> None:
        """Settings that make no sense are told before anything is started."""
        offline = dict.fromkeys(self._plan.offline, "http://localhost")
        twilio = _account("http://localhost") if self._plan.simulated_twilio else None
        worker_url = NOWHERE.app_url if self._plan.embedded_postgres else None
        nowhere = replace(NOWHERE, providers=offline, twilio=twilio, worker_url=worker_url)
        load(gateway_environment(self._plan, nowhere), env_file=None)
        if not is_free(self._plan.host, 0):
            raise PlanImpossible(f"HOST must be an address of this machine, not {self._plan.host!r}")
        if self._plan.port and not is_free(self._plan.host, self._plan.port):
            raise PlanImpossible(f"PORT {self._plan.port} of {self._plan.host} is taken or may not be used")

    async def _start(self) -> Running:
        try:
            async with asyncio.TaskGroup() as starting:
                database = starting.create_task(self._database())
                redis_url = starting.create_task(self._redis())
                providers = starting.create_task(self._providers())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        app_url, worker_url = database.result()
        servers = Servers(
            app_url=app_url,
            worker_url=worker_url,
            redis_url=redis_url.result(),
            providers=providers.result(),
            port=self._plan.port or DEFAULT_PORT,
            twilio=await self._twilio() if self._plan.simulated_twilio else None,
            master_key=self._kept_master_key(),
            token_secret=secrets.token_urlsafe(32),
            carriers=self._carriers(),
        )
        return await self._serve_somewhere(servers)

    def _carriers(self) -> dict[str, Mapping[str, str]]:
        self._api_port = self._closing.enter_context(reserved(API_HOST, 0))
        self._accounts = new_accounts(self._api_port)
        return {name: account.settings for name, account in self._accounts.items()}

    async def _database(self) -> tuple[str, str | None]:
        """The URLs of roles gw_app and gw_worker; None if the latter is for the environment to give."""
        started_s = time.monotonic()
        owner_url, app_url, worker_url = await self._postgres()
        applied = await migrate(owner_url)
        await seed_demo_clinic(owner_url)
        pool = await open_pool(app_url, max_size=1)
        try:
            returned = await give_back(pool, DEMO_CLINIC.claim, of_live_calls=True)
        finally:
            await pool.close()
        kind = "embedded" if self._plan.embedded_postgres else "DATABASE_URL"
        done = f"{kind}; {len(applied) or 'no'} migrations to apply; {DEMO_CLINIC.name} seeded"
        given_back = f", {returned} slots of earlier calls given back" if returned else ""
        self._report("Postgres", done + given_back, time.monotonic() - started_s)
        return app_url, worker_url

    async def _postgres(self) -> tuple[str, str, str | None]:
        if not self._plan.embedded_postgres:
            return self._plan.environ["DATABASE_OWNER_URL"], self._plan.environ["DATABASE_URL"], None
        server = EmbeddedPostgres(self._root / ".data")
        self._closing.push_async_callback(_in_thread, server.stop)
        urls = await _in_thread(server.start)
        return urls.owner, urls.app, urls.worker

    async def _redis(self) -> str:
        if not self._plan.embedded_redis:
            await require_redis(self._plan.environ["REDIS_URL"])
            return self._plan.environ["REDIS_URL"]
        started_s = time.monotonic()
        server = EmbeddedRedis(self._root / ".data")
        self._closing.push_async_callback(_in_thread, server.stop)
        url = await _in_thread(server.start)
        self._report("Redis", "embedded", time.monotonic() - started_s)
        return url

    async def _providers(self) -> dict[Provider, str]:
        if not self._plan.offline:
            return {}
        started_s = time.monotonic()
        self._closing.push_async_callback(self._simulators.stop)
        command = [sys.executable, "-m", "bench.simulators", *self._plan.offline]
        await self._simulators.start(command, dict(self._plan.environ), self._root, self._simulators_ready)
        urls = json.loads(self._simulators.output.read_text())
        offline = {provider: str(urls[provider]) for provider in self._plan.offline}
        self._report("Offline providers", ", ".join(offline), time.monotonic() - started_s)
        return offline

    async def _simulators_ready(self) -> bool:
        return self._simulators.has_spoken

    async def _gateway_ready(self, url: str) -> bool:
        """It says that it listens (on that port another might answer), and then that it can take calls."""
        if not self._gateway.has_spoken:
            return False
        limit = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
        try:
            async with aiohttp.ClientSession(timeout=limit) as probe, probe.get(f"{url}/readyz") as answer:
                return answer.ok
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def _twilio(self) -> SimulatedTwilio:
        account = _account("")
        api = TwilioApiSimulator(
            account_sid=account.account_sid,
            auth_token=account.auth_token,
            updated=lambda call: self._updated(call.sid),
        )
        api.messages.senders |= {CLINIC_NUMBER, TRIAL_NUMBER}
        self._twilio_api = await self._closing.enter_async_context(api)
        return replace(account, url=api.url)

    def _dialled(self, plan: CallPlan) -> None:
        if self._twilio_api is not None:
            self._twilio_api.add_call(plan.call_id, from_=plan.caller, to=plan.dialled)

    def _updated(self, call_sid: str) -> None:
        self.carrier.complete(call_sid)

    async def _serve_somewhere(self, servers: Servers) -> Running:
        """At the port asked for; else at the usual one, or any if another gateway was there first."""
        with reserved(self._plan.host, servers.port) as port:
            if self._plan.port:
                return await self._serve(servers)
            try:
                return await self._serve(replace(servers, port=port))
            except ChildFailed:
                if is_free(self._plan.host, port):
                    raise
        with reserved(self._plan.host, 0) as port:
            return await self._serve(replace(servers, port=port))

    async def _serve(self, servers: Servers) -> Running:
        environ = gateway_environment(self._plan, servers)
        settings = load(environ, env_file=None)
        connect_url = f"http://{_reachable(self._plan.host)}:{servers.port}"
        started_s = time.monotonic()
        self._closing.push_async_callback(self._gateway.stop)
        command = [sys.executable, "-m", "gateway"]
        await self._gateway.start(command, environ, self._root, lambda: self._gateway_ready(connect_url))
        self._report("Gateway", connect_url, time.monotonic() - started_s)
        running = Running(
            public_url=settings.public_url,
            connect_url=connect_url,
            redis_url=servers.redis_url,
            database_url=servers.app_url,
            account_sid=settings.twilio.account_sid,
            auth_token=settings.twilio.auth_token,
            twilio_url=servers.twilio.url if servers.twilio else None,
            worker_url=settings.jobs.url or None,
            issuer=_issuer(settings.api_tokens),
            carriers={
                name: astuple(account.credentials)
                for name, account in self._accounts.items()
                if account.settings.items() <= environ.items()
            },
            api_port=self._api_port,
        )
        file = running.publish(self._folder)
        self._closing.callback(file.unlink, missing_ok=True)
        return running

    def _stop_leftovers(self) -> None:
        self._gateway.stop_leftover()
        self._simulators.stop_leftover()

    def _kept_master_key(self) -> str:
        """Made once: what the database seals today must be readable tomorrow."""
        file = self._root / ".data" / "master.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(new_master_key())
        return file.read_text().strip()


def _issuer(tokens: ApiTokens) -> tuple[str, str, str] | None:
    return (tokens.issuer, tokens.audience, tokens.secret.decode()) if tokens.secret else None


async def require_redis(url: str) -> None:
    """Raises `PlanImpossible` unless a Redis answers there."""
    try:
        async with (
            asyncio.timeout(PROBE_TIMEOUT_S),
            Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as redis,
        ):
            await redis.ping()
    except (RedisError, OSError, ValueError) as error:
        fact = type(error).__name__  # its words may quote the URL, which holds a password
        raise PlanImpossible(f"REDIS_URL must name a Redis that answers ({fact})") from None


def _account(url: str) -> SimulatedTwilio:
    return SimulatedTwilio("AC" + secrets.token_hex(16), secrets.token_hex(16), url)


async def _in_thread(work: Callable[[], T]) -> T:
    """Blocking work that must not be left half done: cancelled, it is waited for all the same."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


def _reachable(host: str) -> str:
    """An address of this machine at which a server bound to `host` answers."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
