"""The environment, parsed once into frozen dataclasses; nonsense stops the start, one line naming every
fault.

`.env` is read beneath the environment. Each wait and limit is a field of `Waits` or `Limits` and is set
by the variable of the same name in capitals; likewise the conversation's,
`pipeline.runner.ConversationSettings`, and, with the provider's name before them, the adapters' waits.
"""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, TypeGuard, TypeVar, get_args
from urllib.parse import urlsplit
from uuid import UUID

from dotenv import dotenv_values

from booking.embeddings import MOST_DIMENSIONS
from gateway.ed25519 import parse_public_key
from gateway.errors import SettingsInvalid
from gateway.latency import CRITICAL_MS, LatencyRules
from gateway.vapi.auth import VapiAuth, parse_auth
from gateway.vonage_key import parse_private_key, require_application_id
from pipeline.providers.cartesia_wire import CartesiaConfig
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.llm_request import LlmConfig
from pipeline.providers.models import FAMILIES, FASTEST, ModelRetired, is_of_family, refuse_retired
from pipeline.runner import ConversationSettings, Phrase
from pipeline.turn.limits import Speculation

T = TypeVar("T")
ProviderKind = Literal["stt", "llm", "tts"]

MASTER_KEY_BYTES = 32
LONGEST_CODE_S = 600.0  # NIST SP 800-63B-4 section 3.1.3.2: ten minutes
MIN_JWT_SECRET_BYTES = 32  # RFC 7518 section 3.2: at least the hash's length
MIN_JOBS_AT_ONCE = 2
MOST_BATCH = 500  # passages of a batch: of OpenAI's 300,000 tokens half, were each as long as may be
VENDOR_SCHEMES = ("https", "http", "wss", "ws")
_KEY_COMMENT = re.compile(r"#.*")
_PLACE = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
CAN_BE_OFF: Final = frozenset({"max_fillers", "keepalive_s"})
OFF_OR_SECONDS = "be off or a positive number of seconds"
WHOLE_FRAMES = "be 20 to 200 in steps of 20"
LOG_LEVELS = ("debug", "info", "warning", "error")
SPECULATION_LEVELS: Final[tuple[str, ...]] = get_args(Speculation)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long anything at the edge may take, in seconds."""

    webhook_s: float = 8.0  # resolving the org before the answer document; Twilio gives up at 15 s
    prewarm_s: float = 30.0  # opened providers wait this long for the call's media
    token_s: float = 60.0  # a media token's life
    media_start_s: float = 10.0  # from accepted socket to its valid `start`
    media_idle_s: float = 30.0  # no frame at all from the carrier
    media_send_s: float = 5.0  # the carrier does not read
    media_close_s: float = 2.0  # the closing handshake
    providers_s: float = 5.0  # opening STT and knowing the org, once the media are there
    hang_up_s: float = 5.0  # the carrier's REST interface
    call_close_s: float = 5.0  # writing the call's record, giving back its hold
    redis_s: float = 0.25  # one Redis command
    database_s: float = 3.0  # one look-up or booking
    phrase_s: float = 10.0  # fetching one stock phrase's audio
    drain_s: float = 900.0  # SIGTERM until live calls are cut
    credentials_memory_s: float = 5.0
    credentials_redis_s: float = 300.0
    changes_quiet_s: float = 10.0  # nothing heard of changes: is the connection to Redis still there?
    changes_retry_s: float = 1.0  # between two tries to listen for changes
    caller_deadline_s: float = 0.25  # finding out who has been here before; then the caller is somebody new
    knowledge_deadline_s: float = 0.06  # finding passages for what the caller said; then it goes without
    unknown_s: float = 15.0  # that a number belongs to nobody, or an org has no keys
    hold_s: float = 600.0  # the life of a slot's hold
    sms_s: float = 4.0  # the carrier's taking of one text message
    code_s: float = 600.0  # the life of a code; 600 at most
    code_resend_s: float = 30.0  # within which a call asks for the same code once
    api_body_s: float = 10.0  # an API request's body to arrive
    jwt_leeway_s: float = 30.0  # by which the clocks of who signs a token and ours may differ
    jwks_fetch_s: float = 3.0  # the identity provider's keys to arrive
    jwks_fresh_s: float = 600.0  # that they are used before they are looked at again
    jwks_stale_s: float = 3600.0  # that they are used while their provider is away
    jwks_retry_s: float = 5.0  # between two looks for keys that were not there
    idempotency_s: float = 86400.0  # that an API request's answer is kept for its repetitions
    idempotency_pending_s: float = 60.0  # an unanswered request counts as under way
    vapi_assistant_s: float = 4.0  # which assistant takes a call; Vapi gives up at 7.5 s
    vapi_tools_s: float = 12.0  # the tools of one request of Vapi's; its own patience is set to more
    vapi_settle_s: float = 15.0  # keeping a report of Vapi's
    vapi_silent_s: float = 900.0  # nothing heard of a call: Vapi is asked
    vapi_report_s: float = 120.0  # from a call's end to its report: then Vapi is asked
    job_s: float = 60.0  # one run of a background job; then it is put off
    jobs_drain_s: float = 10.0  # jobs under way when the process ends; the rest is put back
    calendar_s: float = 10.0  # one request to a calendar
    vapi_transcription_s: float = 43_200.0  # of one call at Vapi, whose longest that is


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything."""

    max_calls: int = 100  # of this process; one more is refused in words, and `/readyz` says full
    media_frame_bytes: int = 65_536
    media_frames_per_s: int = 200
    media_garbage_frames: int = 50
    outbound_frame_ms: int = 100  # 20 to 100: smaller ones jitter, larger ones lag behind a clear
    reconnect_attempts: int = 2
    feed_events: int = 1_000
    knowledge_passages: int = 3  # told to the model in one turn
    database_connections: int = 10
    api_body_bytes: int = 65_536
    vapi_body_bytes: int = 4_194_304  # one message of Vapi's: a whole assistant, and all that was said
    vapi_text_characters: int = 3_000  # spoken for Vapi in one request
    jobs_at_once: int = 4  # background jobs of this process; 2 at least


@dataclass(frozen=True, slots=True)
class Provider:
    """One vendor: where it listens, the process-wide key (an org's own takes its place), which model.

    `waits`: those of the adapter's config, and what else of it is a setting, by its own names.
    """

    url: str
    api_key: str = field(repr=False)
    model: str
    waits: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hedging:
    """When a reply is asked for a second time, and of whom.

    `after_s`: request to first speakable clause; None: never for being late. `fallback`: the model that is
    asked then, and when the other one fails; None: the same one, for being late alone.
    """

    after_s: float | None = None
    requests_per_call: int = 10
    tokens_per_call: int = 50_000
    org_share_percent: int = 20
    fallback: Provider | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The endpoint that knows what passages and questions mean. What has another `space` counts for nothing.

    `dimensions` None: the model's own, and not asked for. `least_similarity`: the cosine from which on a
    passage has to do with a question; it depends on the model. `query_s`: one request for a caller's words,
    waited for within the knowledge deadline alone; `batch_s`: one for `batch` passages that are loaded.
    `rest_s`: after some that came too late or failed in a row, nothing is asked for so long.
    """

    url: str
    api_key: str = field(repr=False)
    model: str
    dimensions: int | None = None
    least_similarity: float = 0.3
    batch: int = 64
    query_s: float = 2.0
    batch_s: float = 30.0
    rest_s: float = 30.0
    keepalive_s: float = 300.0

    @property
    def space(self) -> str:
        """What makes vectors comparable: the model, and its dimensions if they were asked for."""
        return self.model if self.dimensions is None else f"{self.model}/{self.dimensions}"


@dataclass(frozen=True, slots=True)
class Turbo:
    """What an org whose calls are answered critically late gets instead.

    A model `fastest` is the fastest known that does the usual one's work, see `pipeline.providers.models`.
    """

    switches: bool = True
    stt_model: str = FASTEST
    llm_model: str = FASTEST
    tts_model: str = FASTEST
    hedge_after_s: float | None = 0.5
    speculation: str = "interim"


@dataclass(frozen=True, slots=True)
class Otel:
    """Where spans go; nowhere without an endpoint. `headers`: as `name=value,name=value`."""

    endpoint: str = ""
    headers: str = field(default="", repr=False)
    service: str = "voice-gateway"


@dataclass(frozen=True, slots=True)
class Recordings:
    """Where the sound of calls goes: a bucket of S3, or at `endpoint` of what speaks it.

    `part_s`: so much of a call is one object; `buffer_s`: so much of each call is held in memory while the
    store takes nothing; `put_s`: one request to it; `finish_s`: how long after a call's end its last part is
    tried.
    """

    endpoint: str
    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    prefix: str = ""
    part_s: float = 30.0
    buffer_s: float = 120.0
    put_s: float = 20.0
    finish_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Twilio:
    """The account whose numbers ring here; its primary auth token signs webhooks and sockets."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class Plivo:
    """The same of a Plivo account, for all orgs without one of their own; "" if there is none."""

    auth_id: str
    auth_token: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class Telnyx:
    """The same of a Telnyx account: what opens its REST, and the public key of what it signs."""

    api_key: str = field(repr=False)
    public_key: str
    api_url: str


@dataclass(frozen=True, slots=True)
class Vonage:
    """The same of a Vonage application: the key (PEM) that opens its REST, what its account signs with."""

    application_id: str
    private_key: str = field(repr=False)
    signature_secret: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class Vapi:
    """The same of an organisation at Vapi, in one of its two regions. `auth` None: there is none."""

    api_key: str = field(default="", repr=False)
    auth: VapiAuth | None = None
    llm_key: str = field(default="", repr=False)
    region: Literal["us", "eu"] = "us"
    api_url: str = "https://api.vapi.ai"
    api_url_eu: str = "https://api.eu.vapi.ai"

    def url(self, region: Literal["us", "eu"]) -> str:
        """Where that region's REST is."""
        return self.api_url_eu if region == "eu" else self.api_url


@dataclass(frozen=True, slots=True)
class ApiTokens:
    """Whose JWTs the API takes: HS256 under `secret`, RS256 under the keys at `jwks_url`, or none at all."""

    issuer: str = ""
    audience: str = ""
    jwks_url: str = ""
    secret: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Jobs:
    """Background work. `here`: in this process. `url`: of role gw_worker; `direct_url`: past a pooler."""

    here: bool
    url: str = field(repr=False)
    direct_url: str = field(repr=False)
    calendar_url: str
    calendar_token_url: str


@dataclass(frozen=True, slots=True)
class Speedups:
    """What makes calls faster and changes nothing else; each can be off, so that its worth can be measured.

    `prewarms`: providers are connected to at the carrier's webhook, before the media come. `side_by_side`: an
    org's look-ups run at once. `caches`: look-ups and stock phrases are remembered. `pools_tts`: calls share
    a key's socket, which stays open.
    """

    prewarms: bool = True
    side_by_side: bool = True
    caches: bool = True
    pools_tts: bool = True


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
    waits: Waits = Waits()
    limits: Limits = Limits()
    knows_callers: bool = True
    speedups: Speedups = Speedups()
    numbers_entities: bool = False
    api_tokens: ApiTokens = ApiTokens()
    conversation: Mapping[str, Any] = field(default_factory=dict)
    hedging: Hedging = Hedging()
    otel: Otel = Otel()
    turbo: Turbo = Turbo()
    embeddings: Embeddings | None = None
    vapi: Vapi = Vapi()
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


@dataclass(frozen=True, slots=True)
class Variable:
    """One name of the environment; `default` is None where a value must be given."""

    name: str
    default: str | None
    secret: bool


class _Reader:
    """Reads the environment, remembers each name asked for, collects the faults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []
        self.variables: list[Variable] = []

    def text(self, name: str, default: str | None = None, *, secret: bool = False) -> str:
        """The value without surrounding space; an empty one counts as absent."""
        self.variables.append(Variable(name, default, secret))
        value = self._environ.get(name, "").strip()
        if not value and default is None:
            self.faults.append(f"{name} is missing")
        return value or default or ""

    def parsed(self, name: str, default: str | None, parse: Callable[[str], T], must: str, instead: T) -> T:
        """The value as `parse` makes it, or `instead` with a fault "NAME must …", which `must` completes."""
        text = self.text(name, default)
        if not text:
            return instead
        try:
            return parse(text)
        except ValueError:
            self.faults.append(f"{name} must {must}, not {text!r}")
            return instead

    def url(self, name: str, default: str | None, schemes: tuple[str, ...], *, secret: bool = False) -> str:
        """A URL without trailing slash. Secret ones (they hold passwords) are never repeated in a fault."""
        text = self.text(name, default, secret=secret).rstrip("/")
        if text and not _is_url(text, schemes):
            shown = "" if secret else f", not {text!r}"
            self.faults.append(f"{name} must be a URL ({', '.join(schemes)}){shown}")
        return text

    def numbers(self, names_and_defaults: Mapping[str, float], prefix: str = "") -> dict[str, Any]:
        """One positive number per field, of the default's own type; or 0 where that switches it off."""
        found: dict[str, Any] = {}
        for name, default in names_and_defaults.items():
            kind = int if isinstance(default, int) else float
            number = "a positive whole number" if kind is int else "a positive number"
            must, parse = f"be {number}", _positive(kind)
            if name in CAN_BE_OFF:
                must, parse = f"be 0 or {number}", _or_zero(kind)
            text = str(default) if kind is int else f"{default:g}"
            found[name] = self.parsed(prefix + name.upper(), text, parse, must, default)
        return found


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process. Raises `SettingsInvalid`."""
    reader = _Reader(_environment(environ, env_file))
    settings = _read(reader)
    if reader.faults:
        raise SettingsInvalid("; ".join(reader.faults))
    return settings


def latency_rules(environ: Mapping[str, str] | None = None) -> LatencyRules:
    """How turns are judged, for what needs no other setting. Raises `SettingsInvalid`."""
    reader = _Reader(_environment(environ, Path(".env")))
    rules = _latency(reader)
    if reader.faults:
        raise SettingsInvalid("; ".join(reader.faults))
    return rules


def redis_url() -> str | None:
    """REDIS_URL for what needs no other setting, as it is given."""
    return _environment(None, Path(".env")).get("REDIS_URL", "").strip() or None


def is_local_bench(environ: Mapping[str, str]) -> bool:
    """Whether the switch is on that turns carrier checks off; nonsense is not, and `load` refuses it."""
    text = environ.get("GATEWAY_LOCAL_BENCH", "").strip()
    try:
        return bool(text) and _boolean(text)
    except ValueError:
        return False


def variables() -> tuple[Variable, ...]:
    """Every name that is read, in reading order: what `.env.example` documents."""
    reader = _Reader({})
    _read(reader)
    reader.text("DATABASE_OWNER_URL", "", secret=True)  # read by `python -m booking.migrate` alone
    return tuple(reader.variables)


def _environment(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    beneath = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    above = os.environ if environ is None else environ
    return {name: value for name, value in beneath.items() if value is not None} | dict(above)


def _read(reader: _Reader) -> Settings:
    local_bench = reader.parsed("GATEWAY_LOCAL_BENCH", "false", _boolean, "be true or false", False)
    return Settings(
        public_url=_public_url(reader, local_bench),
        host=_host(reader, local_bench),
        port=reader.parsed("PORT", "8080", _port, "be a port number", 0),
        log_level=reader.parsed(
            "LOG_LEVEL", "info", _log_level, f"be one of {', '.join(LOG_LEVELS)}", "info"
        ),
        database_url=reader.url("DATABASE_URL", None, ("postgresql", "postgres"), secret=True),
        redis_url=reader.url("REDIS_URL", None, ("redis", "rediss", "unix"), secret=True),
        stt=Provider(
            url=reader.url("DEEPGRAM_URL", "https://api.deepgram.com", VENDOR_SCHEMES),
            api_key=reader.text("DEEPGRAM_API_KEY", secret=True),
            model=_living(reader, "STT_MODEL", "stt", "flux-general-en"),
            waits=_adapter_waits(reader, DeepgramConfig, "DEEPGRAM_") | _hearing(reader),
        ),
        llm=Provider(
            url=reader.url("LLM_BASE_URL", "https://api.openai.com/v1", VENDOR_SCHEMES),
            api_key=reader.text("LLM_API_KEY", secret=True),
            model=_living(reader, "LLM_MODEL", "llm", "gpt-4.1-mini"),
            waits=_adapter_waits(reader, LlmConfig, "LLM_"),
        ),
        tts=Provider(
            url=reader.url("CARTESIA_URL", "https://api.cartesia.ai", VENDOR_SCHEMES),
            api_key=reader.text("CARTESIA_API_KEY", secret=True),
            model=_living(reader, "TTS_MODEL", "tts", "sonic-3"),
            waits=_adapter_waits(reader, CartesiaConfig, "CARTESIA_"),
        ),
        tts_voice=reader.text("TTS_VOICE", "79a125e8-cd45-4c13-8a67-188112f4dd22"),
        twilio=_twilio(reader, local_bench),
        plivo=_plivo(reader),
        telnyx=_telnyx(reader),
        vonage=_vonage(reader),
        vapi=_vapi(reader),
        jobs=_jobs(reader),
        master_keys=_master_keys(reader),
        local_bench=local_bench,
        default_org=_default_org(reader, local_bench),
        waits=_waits(reader),
        limits=_limits(reader),
        knows_callers=reader.parsed("CALLER_LOOKUP", "true", _boolean, "be true or false", True),
        speedups=_speedups(reader),
        numbers_entities=reader.parsed("NUMBERED_PLACEHOLDERS", "false", _boolean, "be true or false", False),
        api_tokens=_api_tokens(reader),
        conversation=_conversation(reader),
        hedging=_hedging(reader),
        otel=_otel(reader),
        turbo=_turbo(reader),
        embeddings=_embeddings(reader),
        recordings=_recordings(reader),
        latency=_latency(reader),
    )


def _speedups(reader: _Reader) -> Speedups:
    def is_on(name: str) -> bool:
        return reader.parsed(name, "true", _boolean, "be true or false", True)

    return Speedups(
        prewarms=is_on("PREWARM"),
        side_by_side=is_on("SIDE_BY_SIDE_LOOKUPS"),
        caches=is_on("CACHES"),
        pools_tts=is_on("TTS_POOLING"),
    )


def _embeddings(reader: _Reader) -> Embeddings | None:
    """None unless a model is named."""
    model = reader.text("EMBEDDINGS_MODEL", "")
    key = reader.text("EMBEDDINGS_API_KEY", "", secret=True)
    usual = Embeddings("", "", "")
    numbers = {
        name: getattr(usual, name)
        for name in ("least_similarity", "batch", "query_s", "batch_s", "rest_s", "keepalive_s")
    }
    size = f"be 1 to {MOST_DIMENSIONS}"
    chosen = Embeddings(
        url=reader.url("EMBEDDINGS_BASE_URL", "https://api.openai.com/v1", ("https", "http")),
        api_key=key,
        model=model,
        dimensions=reader.parsed("EMBEDDINGS_DIMENSIONS", "", _dimensions, size, None),
        **reader.numbers(numbers, "EMBEDDINGS_"),
    )
    if model and not key:
        reader.faults.append("EMBEDDINGS_API_KEY is missing (a server that asks for none takes any)")
    if chosen.least_similarity >= 1:
        reader.faults.append(f"EMBEDDINGS_LEAST_SIMILARITY must be below 1, not {chosen.least_similarity:g}")
    if chosen.batch > MOST_BATCH:
        reader.faults.append(f"EMBEDDINGS_BATCH must be {MOST_BATCH} at most, not {chosen.batch}")
    return chosen if model else None


def _recordings(reader: _Reader) -> Recordings | None:
    """None unless a bucket is named."""
    usual = Recordings("", "", "", "", "")
    numbers = {name: getattr(usual, name) for name in ("part_s", "buffer_s", "put_s", "finish_s")}
    chosen = Recordings(
        endpoint=reader.url("RECORDINGS_ENDPOINT", "", ("https", "http")),
        bucket=reader.text("RECORDINGS_BUCKET", ""),
        region=reader.text("RECORDINGS_REGION", "us-east-1"),
        access_key_id=reader.text("RECORDINGS_ACCESS_KEY_ID", ""),
        secret_access_key=reader.text("RECORDINGS_SECRET_ACCESS_KEY", "", secret=True),
        prefix=reader.text("RECORDINGS_PREFIX", "recordings").strip("/"),
        **reader.numbers(numbers, "RECORDINGS_"),
    )
    if not chosen.bucket:
        return None
    if not chosen.access_key_id or not chosen.secret_access_key:
        reader.faults.append("RECORDINGS_ACCESS_KEY_ID and RECORDINGS_SECRET_ACCESS_KEY are missing")
    if not _PLACE.fullmatch(chosen.prefix):
        reader.faults.append("RECORDINGS_PREFIX must be letters, digits, dots, dashes and slashes")
    if chosen.buffer_s < 2 * chosen.part_s:
        reader.faults.append("RECORDINGS_BUFFER_S must hold two parts (RECORDINGS_PART_S) at least")
    return chosen


def _turbo(reader: _Reader) -> Turbo:
    levels = f"be one of {', '.join(SPECULATION_LEVELS)}"
    return Turbo(
        switches=reader.parsed("LATENCY_PROFILES", "true", _boolean, "be true or false", True),
        stt_model=_living(reader, "TURBO_STT_MODEL", "stt", FASTEST),
        llm_model=_living(reader, "TURBO_LLM_MODEL", "llm", FASTEST),
        tts_model=_living(reader, "TURBO_TTS_MODEL", "tts", FASTEST),
        hedge_after_s=reader.parsed("TURBO_LLM_HEDGE_AFTER_S", "0.5", _seconds_or_off, OFF_OR_SECONDS, None),
        speculation=reader.parsed("TURBO_SPECULATION", "interim", _speculation, levels, "interim"),
    )


def _latency(reader: _Reader) -> LatencyRules:
    rules = LatencyRules(**reader.numbers(_defaults(LatencyRules), "LATENCY_"))
    if rules.back_ms >= CRITICAL_MS:
        reader.faults.append(f"LATENCY_BACK_MS must be below {CRITICAL_MS:g}, not {rules.back_ms:g}")
    if rules.min_turns > rules.turns:
        reader.faults.append("LATENCY_MIN_TURNS must not be above LATENCY_TURNS")
    return rules


def _otel(reader: _Reader) -> Otel:
    endpoint = reader.url("OTEL_EXPORTER_OTLP_ENDPOINT", "", ("https", "http"))
    if endpoint and not all(map(find_spec, ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter"))):
        reader.faults.append("OTEL_EXPORTER_OTLP_ENDPOINT needs the extra: pip install '.[otel]'")
    return Otel(
        endpoint=endpoint,
        headers=reader.text("OTEL_EXPORTER_OTLP_HEADERS", "", secret=True),
        service=reader.text("OTEL_SERVICE_NAME", "voice-gateway"),
    )


def _hedging(reader: _Reader) -> Hedging:
    usual = Hedging()
    numbers = reader.numbers(
        {
            "hedges_per_call": usual.requests_per_call,
            "hedge_tokens_per_call": usual.tokens_per_call,
            "hedge_share_percent": usual.org_share_percent,
        },
        "LLM_",
    )
    return Hedging(
        after_s=reader.parsed("LLM_HEDGE_AFTER_S", "0.7", _seconds_or_off, OFF_OR_SECONDS, None),
        requests_per_call=numbers["hedges_per_call"],
        tokens_per_call=numbers["hedge_tokens_per_call"],
        org_share_percent=numbers["hedge_share_percent"],
        fallback=_fallback(reader),
    )


def _fallback(reader: _Reader) -> Provider | None:
    """Another model: on the same server under the same key, or on another one under a key of its own."""
    model = _living(reader, "LLM_FALLBACK_MODEL", "llm", "")
    url = reader.url("LLM_FALLBACK_BASE_URL", "", VENDOR_SCHEMES)
    key = reader.text("LLM_FALLBACK_API_KEY", "", secret=True)
    if bool(url) != bool(key):
        reader.faults.append("LLM_FALLBACK_BASE_URL and LLM_FALLBACK_API_KEY need each other")
    if not model:
        if url:
            reader.faults.append("LLM_FALLBACK_MODEL is missing")
        return None
    return Provider(url, key, model, {})


def _conversation(reader: _Reader) -> dict[str, Any]:
    """The conversation's settings that are numbers or a choice, as the environment has them."""
    defaults = {each.name: each.default for each in fields(ConversationSettings)}
    chosen = reader.numbers({name: number for name, number in defaults.items() if _is_number(number)})
    default = str(defaults["speculation"])
    levels = f"be one of {', '.join(SPECULATION_LEVELS)}"
    chosen["speculation"] = reader.parsed("SPECULATION", default, _speculation, levels, default)
    chosen["clause_streaming"] = reader.parsed("CLAUSE_STREAMING", "true", _boolean, "be true or false", True)
    try:
        ConversationSettings(system_prompt="", greeting=Phrase(""), **chosen)
    except ValueError as fault:
        reader.faults.append(str(fault).upper())
    return chosen


def _adapter_waits(reader: _Reader, config: type[Any], prefix: str) -> dict[str, Any]:
    """The waits of a provider's adapter. That for a phrase is the edge's, `PHRASE_S`."""
    defaults: dict[str, Any] = {
        each.name: each.default for each in fields(config) if each.name.endswith("_s")
    }
    return reader.numbers({name: wait for name, wait in defaults.items() if name != "phrase_s"}, prefix)


def _hearing(reader: _Reader) -> dict[str, int]:
    usual = DeepgramConfig(api_key="").chunk_ms
    return {"chunk_ms": reader.parsed("DEEPGRAM_CHUNK_MS", str(usual), _whole_frames, WHOLE_FRAMES, usual)}


def _is_number(default: object) -> TypeGuard[float]:
    return isinstance(default, int | float) and not isinstance(default, bool)


def _waits(reader: _Reader) -> Waits:
    waits = Waits(**reader.numbers(_defaults(Waits)))
    if waits.code_s > LONGEST_CODE_S:
        reader.faults.append(f"CODE_S must be {LONGEST_CODE_S:g} at most, not {waits.code_s:g}")
    return waits


def _limits(reader: _Reader) -> Limits:
    limits = Limits(**reader.numbers(_defaults(Limits)))
    if not 20 <= limits.outbound_frame_ms <= 100:
        reader.faults.append(f"OUTBOUND_FRAME_MS must be 20 to 100, not {limits.outbound_frame_ms}")
    if limits.jobs_at_once < MIN_JOBS_AT_ONCE:
        reader.faults.append(f"JOBS_AT_ONCE must be at least {MIN_JOBS_AT_ONCE}, not {limits.jobs_at_once}")
    return limits


def _host(reader: _Reader, local_bench: bool) -> str:
    host = reader.parsed("HOST", "127.0.0.1", _address, "be an address or a host's name", "127.0.0.1")
    if local_bench and not _is_loopback(host):
        reader.faults.append("GATEWAY_LOCAL_BENCH turns carrier checks off and needs a loopback HOST")
    return host


def _public_url(reader: _Reader, local_bench: bool) -> str:
    url = reader.url("PUBLIC_URL", None, ("https", "http"))
    if not url or not _is_url(url, ("https", "http")):
        return url
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username:
        reader.faults.append("PUBLIC_URL must be scheme, host and path alone")
    if not _is_loopback(parts.hostname or ""):
        if local_bench:
            reader.faults.append(
                "GATEWAY_LOCAL_BENCH turns carrier checks off and needs a loopback PUBLIC_URL"
            )
        elif parts.scheme != "https":
            reader.faults.append("PUBLIC_URL must be https: carriers stream over wss only")
    return url


def _twilio(reader: _Reader, local_bench: bool) -> Twilio:
    absent = "" if local_bench else None  # without them a call could be neither verified nor hung up
    return Twilio(
        account_sid=reader.text("TWILIO_ACCOUNT_SID", absent),
        auth_token=reader.text("TWILIO_AUTH_TOKEN", absent, secret=True),
        api_url=reader.url("TWILIO_API_URL", "https://api.twilio.com", ("https", "http")),
    )


def _plivo(reader: _Reader) -> Plivo:
    plivo = Plivo(
        auth_id=reader.text("PLIVO_AUTH_ID", ""),
        auth_token=reader.text("PLIVO_AUTH_TOKEN", "", secret=True),
        api_url=reader.url("PLIVO_API_URL", "https://api.plivo.com", ("https", "http")),
    )
    if bool(plivo.auth_id) != bool(plivo.auth_token):
        reader.faults.append("PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN belong together")
    return plivo


def _telnyx(reader: _Reader) -> Telnyx:
    telnyx = Telnyx(
        api_key=reader.text("TELNYX_API_KEY", "", secret=True),
        public_key=reader.parsed("TELNYX_PUBLIC_KEY", "", _public_key, "be 32 bytes in base64", ""),
        api_url=reader.url("TELNYX_API_URL", "https://api.telnyx.com", ("https", "http")),
    )
    if bool(telnyx.api_key) != bool(telnyx.public_key):
        reader.faults.append("TELNYX_API_KEY and TELNYX_PUBLIC_KEY belong together")
    return telnyx


def _vonage(reader: _Reader) -> Vonage:
    uuid = "be a UUID in small letters"
    application_id = reader.parsed("VONAGE_APPLICATION_ID", "", require_application_id, uuid, "")
    private_key = reader.text("VONAGE_PRIVATE_KEY", "", secret=True).replace("\\n", "\n")
    vonage = Vonage(
        application_id=application_id,
        private_key=private_key,
        signature_secret=reader.text("VONAGE_SIGNATURE_SECRET", "", secret=True),
        api_url=reader.url("VONAGE_API_URL", "https://api.nexmo.com", ("https", "http")),
    )
    given = (bool(application_id), bool(private_key), bool(vonage.signature_secret))
    if len(set(given)) > 1:
        reader.faults.append(
            "VONAGE_APPLICATION_ID, VONAGE_PRIVATE_KEY and VONAGE_SIGNATURE_SECRET belong together"
        )
    if private_key:
        _require_private_key(reader, private_key)
    return vonage


def _require_private_key(reader: _Reader, private_key: str) -> None:
    try:
        parse_private_key(private_key)
    except ValueError as fault:
        reader.faults.append(f"VONAGE_PRIVATE_KEY: {fault}")


def _vapi(reader: _Reader) -> Vapi:
    usual = Vapi()
    region = reader.parsed("VAPI_REGION", usual.region, _region, "be us or eu", usual.region)
    vapi = Vapi(
        api_key=reader.text("VAPI_API_KEY", "", secret=True),
        auth=_vapi_auth(reader),
        llm_key=reader.text("VAPI_LLM_KEY", "", secret=True),
        region=region,
        api_url=reader.url("VAPI_API_URL", usual.api_url, ("https", "http")),
        api_url_eu=reader.url("VAPI_API_URL_EU", usual.api_url_eu, ("https", "http")),
    )
    if bool(vapi.api_key) != (vapi.auth is not None):
        reader.faults.append("VAPI_API_KEY and VAPI_AUTH belong together")
    return vapi


def _vapi_auth(reader: _Reader) -> VapiAuth | None:
    """A fault does not repeat what is given: it holds a secret."""
    text = reader.text("VAPI_AUTH", "", secret=True)
    try:
        return parse_auth(text) if text else None
    except ValueError as fault:
        reader.faults.append(f"VAPI_AUTH {fault}")
        return None


def _region(text: str) -> Literal["us", "eu"]:
    if text not in ("us", "eu"):
        raise ValueError(text)
    return "eu" if text == "eu" else "us"


def _public_key(text: str) -> str:
    if text:
        parse_public_key(text)
    return text


def _jobs(reader: _Reader) -> Jobs:
    here = reader.parsed("WORKERS", "true", _boolean, "be true or false", True)
    url = reader.url("DATABASE_WORKER_URL", "", ("postgresql", "postgres"), secret=True)
    if here and not url:
        reader.faults.append("DATABASE_WORKER_URL is missing (WORKERS=0 leaves jobs to other processes)")
    return Jobs(
        here=here,
        url=url,
        direct_url=reader.url("DATABASE_DIRECT_URL", "", ("postgresql", "postgres"), secret=True) or url,
        calendar_url=reader.url("GOOGLE_CALENDAR_URL", "https://www.googleapis.com", ("https", "http")),
        calendar_token_url=reader.url(
            "GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token", ("https", "http")
        ),
    )


def _living(reader: _Reader, name: str, kind: ProviderKind, default: str) -> str:
    """`default` "": another setting decides."""
    model = reader.text(name, default)
    if model not in ("", FASTEST) and not is_of_family(kind, model):
        begins = ", ".join(f"{each.rstrip('-')}-…" for each in FAMILIES[kind])
        reader.faults.append(f"{name} must be one of its vendor's models ({begins}), not {model!r}")
    try:
        refuse_retired(kind, model)
    except ModelRetired:
        reader.faults.append(f"{name} names {model}, which its vendor has switched off; {default} works")
    return model


def _master_keys(reader: _Reader) -> tuple[bytes, ...]:
    """Newest first, from the environment or a file; never none, so that what is built on them may be."""
    path = reader.text("MASTER_KEY_FILE", "")
    inline = reader.text("MASTER_KEY", "" if path else None, secret=True)
    if path and inline:
        reader.faults.append("MASTER_KEY and MASTER_KEY_FILE are both given")
    try:
        written = _KEY_COMMENT.sub("", Path(path).read_text("ascii")) if path else inline
    except (OSError, UnicodeDecodeError) as fault:
        reader.faults.append(f"MASTER_KEY_FILE cannot be read: {type(fault).__name__}")
        return (b"",)
    keys = [_master_key(text) for text in written.replace(",", " ").split()]
    if path and not keys:
        reader.faults.append("MASTER_KEY_FILE holds no key")
    if b"" in keys or len(set(keys)) < len(keys):
        name = "MASTER_KEY_FILE" if path else "MASTER_KEY"
        twice = "" if b"" in keys else ", each given once"
        reader.faults.append(
            f"{name} must be {MASTER_KEY_BYTES} bytes in base64 (openssl rand -base64 32){twice}"
        )
    return tuple(keys) or (b"",)


def _master_key(text: str) -> bytes:
    """Empty if it is none."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return key if len(key) == MASTER_KEY_BYTES else b""


def _api_tokens(reader: _Reader) -> ApiTokens:
    secret = reader.text("API_JWT_SECRET", "", secret=True).encode()
    if secret and len(secret) < MIN_JWT_SECRET_BYTES:
        reader.faults.append(f"API_JWT_SECRET must be at least {MIN_JWT_SECRET_BYTES} bytes")
    jwks_url = reader.url("API_JWKS_URL", "", ("https", "http"))
    if jwks_url.startswith("http:") and not _is_loopback(urlsplit(jwks_url).hostname or ""):
        reader.faults.append("API_JWKS_URL must be https: who can change the keys can sign")
    issuer = reader.text("API_JWT_ISSUER", "")
    audience = reader.text("API_JWT_AUDIENCE", "")
    if (secret or jwks_url) and not (issuer and audience):
        reader.faults.append("API_JWT_SECRET and API_JWKS_URL need API_JWT_ISSUER and API_JWT_AUDIENCE")
    return ApiTokens(issuer=issuer, audience=audience, jwks_url=jwks_url, secret=secret)


def _default_org(reader: _Reader, local_bench: bool) -> UUID | None:
    org = reader.parsed("DEFAULT_ORG", "", UUID, "be an org's id (UUID)", None)
    if org is not None and not local_bench:
        reader.faults.append("DEFAULT_ORG stands in for an unknown number under GATEWAY_LOCAL_BENCH alone")
    return org


def _defaults(kind: type[Any]) -> dict[str, float]:
    defaults = kind()
    return {each.name: getattr(defaults, each.name) for each in fields(kind)}


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.path)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _boolean(text: str) -> bool:
    known = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _address(text: str) -> str:
    """An IP address, or a name: one whose last label is a number is a mistyped address."""
    if ":" in text or text.rpartition(".")[2].isdigit():
        ipaddress.ip_address(text)
    return text


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise ValueError(text)
    return port


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(text)
    return text.lower()


def _seconds_or_off(text: str) -> float | None:
    return None if text.lower() == "off" else _positive(float)(text)


def _whole_frames(text: str) -> int:
    milliseconds = int(text)
    if milliseconds not in range(20, 201, 20):
        raise ValueError(text)
    return milliseconds


def _dimensions(text: str) -> int | None:
    dimensions = int(text)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(text)
    return dimensions


def _speculation(text: str) -> str:
    if text.lower() not in SPECULATION_LEVELS:
        raise ValueError(text)
    return text.lower()


def _or_zero(kind: type[float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        return 0 if kind(text) == 0 else _positive(kind)(text)

    return parse


def _positive(kind: type[float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise ValueError(text)
        return number

    return parse
