"""The environment with `.env` beneath it, read into settings or refused."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values

from gateway.errors import SettingsInvalid
from gateway.latency import LatencyRules
from gateway.settings.api_tokens import read_api_tokens
from gateway.settings.carriers import read_plivo, read_telnyx, read_twilio, read_vonage
from gateway.settings.conversation import read_conversation
from gateway.settings.edge import read_default_org, read_host, read_public_url
from gateway.settings.embeddings import read_embeddings
from gateway.settings.hedging import read_hedging
from gateway.settings.jobs import read_jobs
from gateway.settings.limits import read_limits
from gateway.settings.master_keys import read_master_keys
from gateway.settings.otel import read_otel
from gateway.settings.parsers import LOG_LEVELS, boolean, log_level, port
from gateway.settings.providers import read_llm, read_stt, read_tts
from gateway.settings.reader import Reader, Variable
from gateway.settings.recordings import read_recordings
from gateway.settings.shape import Settings
from gateway.settings.speedups import read_speedups
from gateway.settings.stores import Library, read_database_url, read_library, read_redis_url
from gateway.settings.turbo import read_latency, read_turbo
from gateway.settings.vapi import read_vapi
from gateway.settings.waits import read_waits

Read = TypeVar("Read")


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process. Raises `SettingsInvalid`."""
    return _loaded(read_settings, environ, env_file)


def load_library(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Library:
    """What loading and searching a clinic's documents needs. Raises `SettingsInvalid`."""
    return _loaded(read_library, environ, env_file)


def latency_rules(environ: Mapping[str, str] | None = None) -> LatencyRules:
    """How turns are judged, for what needs no other setting. Raises `SettingsInvalid`."""
    return _loaded(read_latency, environ, Path(".env"))


def redis_url() -> str | None:
    """REDIS_URL for what needs no other setting, as it is given."""
    return _environment(None, Path(".env")).get("REDIS_URL", "").strip() or None


def is_local_bench(environ: Mapping[str, str]) -> bool:
    """Whether the switch is on that turns carrier checks off; nonsense is not, and `load` refuses it."""
    text = environ.get("GATEWAY_LOCAL_BENCH", "").strip()
    try:
        return bool(text) and boolean(text)
    except ValueError:
        return False


def variables() -> tuple[Variable, ...]:
    """Every name that is read, in reading order: what `.env.example` documents."""
    reader = Reader({})
    read_settings(reader)
    reader.text("DATABASE_OWNER_URL", "", secret=True)  # read by `python -m booking.migrate` alone
    return tuple(reader.variables)


def _loaded(read: Callable[[Reader], Read], environ: Mapping[str, str] | None, env_file: Path | None) -> Read:
    """Raises `SettingsInvalid`, which names every fault."""
    reader = Reader(_environment(environ, env_file))
    found = read(reader)
    if reader.faults:
        raise SettingsInvalid("; ".join(reader.faults))
    return found


def _environment(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    beneath = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    above = os.environ if environ is None else environ
    return {name: value for name, value in beneath.items() if value is not None} | dict(above)


def read_settings(reader: Reader) -> Settings:
    """Everything; what is missing or makes no sense is among the reader's faults."""
    local_bench = reader.switch("GATEWAY_LOCAL_BENCH", default=False)
    return Settings(
        public_url=read_public_url(reader, local_bench),
        host=read_host(reader, local_bench),
        port=reader.parsed("PORT", "8080", port, "be a port number", 0),
        log_level=reader.parsed("LOG_LEVEL", "info", log_level, f"be one of {', '.join(LOG_LEVELS)}", "info"),
        database_url=read_database_url(reader),
        redis_url=read_redis_url(reader),
        stt=read_stt(reader),
        llm=read_llm(reader),
        tts=read_tts(reader),
        tts_voice=reader.text("TTS_VOICE", "79a125e8-cd45-4c13-8a67-188112f4dd22"),
        twilio=read_twilio(reader, local_bench),
        plivo=read_plivo(reader),
        telnyx=read_telnyx(reader),
        vonage=read_vonage(reader),
        vapi=read_vapi(reader),
        jobs=read_jobs(reader),
        master_keys=read_master_keys(reader),
        local_bench=local_bench,
        default_org=read_default_org(reader, local_bench),
        waits=read_waits(reader),
        limits=read_limits(reader),
        knows_callers=reader.switch("CALLER_LOOKUP", default=True),
        speedups=read_speedups(reader),
        numbers_entities=reader.switch("NUMBERED_PLACEHOLDERS", default=False),
        api_tokens=read_api_tokens(reader),
        conversation=read_conversation(reader),
        hedging=read_hedging(reader),
        otel=read_otel(reader),
        turbo=read_turbo(reader),
        embeddings=read_embeddings(reader),
        recordings=read_recordings(reader),
        latency=read_latency(reader),
    )
