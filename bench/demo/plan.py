"""What the environment leaves to the demo: which servers and providers it starts, which settings it makes up.

Whatever is set is used as it is; whatever is not is started here. Pure: nothing is opened.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Provider = Literal["deepgram", "llm", "cartesia"]

# Provider -> its key's name, its address's name.
PROVIDERS: Mapping[Provider, tuple[str, str]] = {
    "deepgram": ("DEEPGRAM_API_KEY", "DEEPGRAM_URL"),
    "llm": ("LLM_API_KEY", "LLM_BASE_URL"),
    "cartesia": ("CARTESIA_API_KEY", "CARTESIA_URL"),
}
OFFLINE_KEY = "offline"
OFFLINE_MODEL = "scripted-receptionist"
DEFAULT_PORT = 8080
LAST_PORT = 65_535
DEMO_ISSUER = "urn:clinic-voice-gateway:demo"
ISSUER_NAMES = frozenset({"API_JWT_ISSUER", "API_JWT_AUDIENCE", "API_JWT_SECRET", "API_JWKS_URL"})
# A demo that is stopped does not wait for the call to end by itself.
DRAIN_S = "2"


class PlanImpossible(Exception):
    """The environment contradicts itself; the message is one line for the person who set it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`environ` is the environment over `.env`. What is False or absent here is given from outside."""

    environ: Mapping[str, str]
    offline: tuple[Provider, ...]
    embedded_postgres: bool
    embedded_redis: bool
    simulated_twilio: bool

    @property
    def port(self) -> int | None:
        """The port asked for; None if any will do."""
        return int(self.environ.get("PORT", "").strip() or 0) or None

    @property
    def host(self) -> str:
        return self.environ.get("HOST", "").strip() or "127.0.0.1"


def make_plan(environ: Mapping[str, str]) -> Plan:
    """Read the environment. Raises `PlanImpossible`."""

    def given(name: str) -> bool:
        return bool(environ.get(name, "").strip())

    if given("DATABASE_URL") and not given("DATABASE_OWNER_URL"):
        raise PlanImpossible(
            "DATABASE_URL is set, so DATABASE_OWNER_URL is needed to migrate and to seed the clinic"
        )
    if given("PORT"):
        _require_port(environ["PORT"].strip())
    return Plan(
        environ=environ,
        offline=tuple(name for name, own in PROVIDERS.items() if not any(map(given, own))),
        embedded_postgres=not given("DATABASE_URL"),
        embedded_redis=not given("REDIS_URL"),
        simulated_twilio=not (given("TWILIO_AUTH_TOKEN") or given("TWILIO_ACCOUNT_SID")),
    )


def _require_port(text: str) -> None:
    if not (text.isdecimal() and int(text) <= LAST_PORT):
        raise PlanImpossible(f"PORT must be a port number, not {text!r}")


@dataclass(frozen=True, slots=True)
class SimulatedTwilio:
    """An account that exists on this machine alone, and its REST interface."""

    account_sid: str
    auth_token: str = field(repr=False)
    url: str


@dataclass(frozen=True, slots=True)
class Servers:
    """Where everything is once it runs. `twilio` is None where a real account is given, `worker_url` where a
    database is. `token_secret` signs the API's tokens where no issuer is given. `carriers`: settings of an
    account at each other carrier, for those of which nothing is given.
    """

    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    providers: Mapping[Provider, str]
    port: int
    twilio: SimulatedTwilio | None
    master_key: str = field(repr=False)
    worker_url: str | None = field(default=None, repr=False)
    token_secret: str = field(default="", repr=False)
    carriers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def gateway_environment(plan: Plan, servers: Servers) -> dict[str, str]:
    """The gateway's whole environment: our defaults, over them what was given, over that what was started."""
    defaults = {
        "HOST": plan.host,
        "PUBLIC_URL": f"http://127.0.0.1:{servers.port}",
        "DRAIN_S": DRAIN_S,
        "MASTER_KEY": servers.master_key,
    }
    if servers.twilio is not None:
        defaults["TWILIO_API_URL"] = servers.twilio.url
    given = {name: value for name, value in plan.environ.items() if value.strip()}
    if servers.token_secret and not given.keys() & ISSUER_NAMES:
        defaults |= {
            "API_JWT_ISSUER": DEMO_ISSUER,
            "API_JWT_AUDIENCE": DEMO_ISSUER,
            "API_JWT_SECRET": servers.token_secret,
        }
    for settings in servers.carriers.values():
        if not given.keys() & settings.keys():
            defaults |= settings
    given.pop("DATABASE_OWNER_URL", None)
    return defaults | given | _started(servers)


def _started(servers: Servers) -> dict[str, str]:
    started = {"DATABASE_URL": servers.app_url, "REDIS_URL": servers.redis_url, "PORT": str(servers.port)}
    for provider, url in servers.providers.items():
        key_name, url_name = PROVIDERS[provider]
        started |= {key_name: OFFLINE_KEY, url_name: url}
    if "llm" in servers.providers:
        started["LLM_MODEL"] = OFFLINE_MODEL
    if servers.worker_url is not None:
        started["DATABASE_WORKER_URL"] = servers.worker_url
    if servers.twilio is not None:
        started["TWILIO_ACCOUNT_SID"] = servers.twilio.account_sid
        started["TWILIO_AUTH_TOKEN"] = servers.twilio.auth_token
    return started


def new_master_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
