"""All settings of a process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.latency import LatencyRules
from gateway.settings.api_tokens import ApiTokens
from gateway.settings.carriers import Plivo, Telnyx, Twilio, Vonage
from gateway.settings.embeddings import Embeddings
from gateway.settings.hedging import Hedging
from gateway.settings.jobs import Jobs
from gateway.settings.limits import Limits
from gateway.settings.otel import Otel
from gateway.settings.providers import Provider
from gateway.settings.recordings import Recordings
from gateway.settings.speedups import Speedups
from gateway.settings.turbo import Turbo
from gateway.settings.vapi import Vapi
from gateway.settings.waits import Waits


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment decides."""

    public_url: str
    host: str
    port: int
    log_level: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    stt: Provider
    llm: Provider
    tts: Provider
    tts_voice: str
    twilio: Twilio
    plivo: Plivo
    telnyx: Telnyx
    vonage: Vonage
    jobs: Jobs
    master_keys: tuple[bytes, ...] = field(repr=False)
    local_bench: bool = False
    default_org: UUID | None = None
    waits: Waits = field(default_factory=Waits)
    limits: Limits = field(default_factory=Limits)
    knows_callers: bool = True
    speedups: Speedups = field(default_factory=Speedups)
    numbers_entities: bool = False
    api_tokens: ApiTokens = field(default_factory=ApiTokens)
    conversation: Mapping[str, Any] = field(default_factory=dict)
    hedging: Hedging = field(default_factory=Hedging)
    otel: Otel = field(default_factory=Otel)
    turbo: Turbo = field(default_factory=Turbo)
    embeddings: Embeddings | None = None
    vapi: Vapi = field(default_factory=Vapi)
    recordings: Recordings | None = None
    latency: LatencyRules = field(default_factory=LatencyRules)

    @property
    def master_key(self) -> bytes:
        """The newest: what is sealed and signed from now on is so under it."""
        return self.master_keys[0]

    def media_url(self, path: str) -> str:
        """One of our sockets as the carrier is told it, and therefore as it signs it: `ws(s)://…`."""
        return "ws" + self.public_url.removeprefix("http") + path

    def public(self, path: str) -> str:
        """The address of one of our routes as the carrier sees it."""
        return self.public_url + path
