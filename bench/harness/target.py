"""The gateway under test: our own, started as a child on embedded servers, or any gateway by its address.

What a gateway tells of itself (its own figures, its process) is known of our own alone; what is heard of it
is measured in the same way for all.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import psutil

from bench.carrier import Account, Carrier, TwilioAccount
from bench.carrier.listening import has_port, require_listener
from bench.carrier.own import OwnAccount, new_account
from bench.carrier.rest import Place, exchange
from bench.demo.clinic import CLINIC_NUMBER, DEMO_CLINIC
from bench.demo.feed import Fact, Feed, open_feed
from bench.demo.plan import Provider, make_plan
from bench.demo.ports import reserved
from bench.demo.supervisor import Supervisor
from bench.harness.providers import providers_environment
from bench.harness.starting import say_starting
from gateway.settings import variables

LAST_FACTS_S: Final = 1.5


class TargetUnusable(ValueError):
    """The address or a setting is no good; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A gateway by its address: `ws(s)://` is its media socket, `http(s)://` its signed webhook for calls.

    `api_port`: where the carrier's REST interface is served for it, None for not at all.
    """

    url: str
    number: str = CLINIC_NUMBER
    account: Account = field(default_factory=TwilioAccount)
    api_port: int | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname or not has_port(parts):
            raise TargetUnusable(f"{self.url!r} is no ws, wss, http or https address")
        if self.account.name == "telnyx" and not self.is_socket and self.api_port is None:
            raise TargetUnusable("Telnyx is ordered over REST: say at which port (--api-port)")

    @property
    def is_socket(self) -> bool:
        return urlsplit(self.url).scheme in ("ws", "wss")

    @asynccontextmanager
    async def carrier(self) -> AsyncIterator[Carrier]:
        """Whoever calls there, while the body runs."""
        voice_url = None if self.is_socket else self.url
        media_url = self.url if self.is_socket else None
        if self.api_port is None:
            async with Carrier(self.url, self.account, voice_url=voice_url, media_url=media_url) as carrier:
                yield carrier
            return
        place = Place(self.url, voice_url=voice_url, media_url=media_url, api_port=self.api_port)
        async with exchange(self.account, place) as calling:
            yield calling.carrier


@dataclass(slots=True)
class Facts:
    """What our gateway told of itself, call by call."""

    finished: dict[str, list[Fact]] = field(default_factory=dict)
    """`TurnFinished` of each call, by the carrier's call id."""
    barged: dict[str, list[Fact]] = field(default_factory=dict)
    _carrier_ids: dict[str, str] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        if fact["type"] == "CallOpened":
            self._carrier_ids[fact["call_id"]] = fact["carrier_call_id"]
        carrier_id = self._carrier_ids.get(fact["call_id"], "")
        match fact["type"]:
            case "TurnFinished":
                self.finished.setdefault(carrier_id, []).append(fact)
            case "BargedIn":
                self.barged.setdefault(carrier_id, []).append(fact)
            case "CallClosed":
                self._carrier_ids.pop(fact["call_id"], None)

    def forget(self, carrier_id: str) -> None:
        self.finished.pop(carrier_id, None)
        self.barged.pop(carrier_id, None)


@dataclass(slots=True)
class Target:
    """What calls are placed to. `process` and `told` are None where the gateway is not our child."""

    carrier: Carrier
    number: str
    description: Mapping[str, Any]
    process: psutil.Process | None = None
    told: Facts | None = None
    base_url: str | None = None
    database_url: str | None = field(default=None, repr=False)
    folder: Path | None = None

    async def last_facts(self) -> None:
        """Give what was told last the time to arrive."""
        if self.told is not None:
            await asyncio.sleep(LAST_FACTS_S)


@asynccontextmanager
async def by_address(address: Address) -> AsyncIterator[Target]:
    """Any gateway. Raises `NobodyListens` where there is none."""
    await require_listener(address.url)
    async with address.carrier() as carrier:
        yield Target(carrier, address.number, {"kind": "address", "url": address.url})


_STEADY: Final = {"LATENCY_PROFILES": "false"}
"""What is measured is one policy, and an org that is answered late would get another midway."""


@asynccontextmanager
async def our_own(
    providers: Mapping[Provider, str],
    settings: Mapping[str, str],
    *,
    pinned: bool = False,
    carrier: str = "twilio",
) -> AsyncIterator[Target]:
    """This checkout's gateway as a process of its own, on servers of its own; nothing of the caller's
    environment but `settings`. `pinned`: the last CPU is the gateway's alone, the others are everybody
    else's. `carrier`: that calls.

    Raises `TargetUnusable` for a setting that the gateway does not read.
    """
    _require_known(settings)
    say_starting()
    root = Path(tempfile.mkdtemp(prefix="gw-bench-"))
    async with AsyncExitStack() as closing:
        closing.callback(shutil.rmtree, root, ignore_errors=True)
        had = _leave_last_cpu() if pinned else []
        if pinned:
            closing.callback(psutil.Process().cpu_affinity, had)
        line = _Line.of(carrier, closing)
        plan = make_plan(providers_environment(providers) | line.settings | _STEADY | dict(settings))
        supervisor = await closing.enter_async_context(Supervisor(plan, root, _nothing_to_report))
        process = gateway_process()
        if pinned:
            process.cpu_affinity(had[-1:])
        org_id = DEMO_CLINIC.claim.org_id
        feed = await closing.enter_async_context(open_feed(supervisor.running.redis_url, org_id))
        facts = Facts()
        collecting = asyncio.create_task(_collect(feed, facts))
        closing.push_async_callback(_stopped, collecting)
        description = {"kind": "own", "settings": dict(settings), "pinned": pinned, "carrier": carrier}
        yield Target(
            await line.carrier(supervisor, closing),
            CLINIC_NUMBER,
            description,
            process,
            facts,
            supervisor.running.connect_url,
            supervisor.running.database_url,
            root,
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """Who calls our own gateway: the supervisor's Twilio, or a carrier beside it, with its REST interface."""

    own: OwnAccount | None = None
    api_port: int = 0

    @classmethod
    def of(cls, carrier: str, closing: AsyncExitStack) -> Self:
        if carrier == "twilio":
            return cls()
        return cls(new_account(carrier), closing.enter_context(reserved("127.0.0.1", 0)))

    @property
    def settings(self) -> dict[str, str]:
        return {} if self.own is None else self.own.environment(f"http://127.0.0.1:{self.api_port}")

    async def carrier(self, supervisor: Supervisor, closing: AsyncExitStack) -> Carrier:
        if self.own is None:
            return supervisor.carrier
        running = supervisor.running
        place = Place(running.public_url, connect_url=running.connect_url, api_port=self.api_port)
        calling = await closing.enter_async_context(exchange(self.own.account, place))
        return calling.carrier


def gateway_process() -> psutil.Process:
    """The child of ours that is the gateway."""
    children = psutil.Process().children()
    return next(child for child in children if child.cmdline()[1:] == ["-m", "gateway"])


def parse_settings(texts: list[str]) -> dict[str, str]:
    """`NAME=value` each. Raises `TargetUnusable`."""
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise TargetUnusable(f"{text!r} is not NAME=value")
        settings[name] = value
    return settings


def _require_known(settings: Mapping[str, str]) -> None:
    unknown = sorted(settings.keys() - {variable.name for variable in variables()})
    if unknown:
        raise TargetUnusable(f"the gateway reads no setting {', '.join(unknown)}")


def _leave_last_cpu() -> list[int]:
    """This process and its children to come go to all CPUs but the last; the CPUs that it had."""
    process = psutil.Process()
    had: list[int] = process.cpu_affinity()
    if len(had) < 2:
        raise TargetUnusable("there is one CPU alone: nothing can be pinned apart")
    process.cpu_affinity(had[:-1])
    return had


async def _collect(feed: Feed, facts: Facts) -> None:
    async for fact in feed.facts():
        facts.take(fact)


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


def _nothing_to_report(name: str, what: str, seconds: float) -> None:
    """Starting is not what is measured."""
