"""What the environment leaves to the demo: which servers and providers it starts, which settings it makes up.

Whatever is set is used as it is; whatever is not is started here. Pure: nothing is opened.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
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
    if given("PORT") and not environ["PORT"].strip().isdigit():
        raise PlanImpossible(f"PORT must be a port number, not {environ['PORT']!r}")
    return Plan(
        environ=environ,
        offline=tuple(name for name, own in PROVIDERS.items() if not any(map(given, own))),
        embedded_postgres=not given("DATABASE_URL"),
        embedded_redis=not given("REDIS_URL"),
        simulated_twilio=not (given("TWILIO_AUTH_TOKEN") or given("TWILIO_ACCOUNT_SID")),
    )


@dataclass(frozen=True, slots=True)
class Servers:
    """Where everything is once it runs."""

    app_url: str
    redis_url: str
    providers: Mapping[Provider, str]
    port: int
    account_sid: str
    auth_token: str
    twilio_url: str | None
    master_key: str


def gateway_environment(plan: Plan, servers: Servers) -> dict[str, str]:
    """The gateway's whole environment: what was given, and over the gaps what was started."""
    started = {
        "DATABASE_URL": servers.app_url,
        "REDIS_URL": servers.redis_url,
        "PORT": str(servers.port),
        "TWILIO_ACCOUNT_SID": servers.account_sid,
        "TWILIO_AUTH_TOKEN": servers.auth_token,
        "MASTER_KEY": servers.master_key,
    }
    for provider, url in servers.providers.items():
        key_name, url_name = PROVIDERS[provider]
        started |= {key_name: OFFLINE_KEY, url_name: url}
    if "llm" in servers.providers:
        started["LLM_MODEL"] = OFFLINE_MODEL
    if servers.twilio_url is not None:
        started["TWILIO_API_URL"] = servers.twilio_url
    defaults = {"HOST": plan.host, "PUBLIC_URL": f"http://127.0.0.1:{servers.port}", "DRAIN_S": DRAIN_S}
    given = {name: value for name, value in plan.environ.items() if value.strip()}
    given.pop("DATABASE_OWNER_URL", None)
    return defaults | given | started


def new_master_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
