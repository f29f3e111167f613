"""The settings: what is read, and the one line that a wrong value stops the start with."""

import base64
from pathlib import Path
from uuid import UUID

import pytest

from gateway.errors import SettingsInvalid
from gateway.prewarm import PROCESS_KEYS, Clients
from gateway.settings import Settings, is_local_bench, load, variables
from gateway.tenancy.credentials import OrgKeys
from tests.gateway.vonage_application import OURS

GOOD = {
    "PUBLIC_URL": "https://gw.example.com/",
    "DATABASE_URL": "postgresql://gw_app:secret@db.example.com/gateway",
    "DATABASE_WORKER_URL": "postgresql://gw_worker:secret@db.example.com/gateway",
    "REDIS_URL": "unix://:secret@/run/redis.sock?db=0",
    "DEEPGRAM_API_KEY": "dg-key",
    "LLM_API_KEY": "llm-key",
    "CARTESIA_API_KEY": "ct-key",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "twilio-token",
    "MASTER_KEY": base64.b64encode(bytes(32)).decode(),
}
BENCH = {"GATEWAY_LOCAL_BENCH": "true", "PUBLIC_URL": "http://127.0.0.1:8080"}


def settings(**changes: str) -> Settings:
    return load(GOOD | changes, env_file=None)


def fault(**changes: str) -> str:
    with pytest.raises(SettingsInvalid) as invalid:
        settings(**changes)
    return str(invalid.value)


def test_the_required_ones_are_enough() -> None:
    read = settings()
    assert read.media_url("/twilio/media") == "wss://gw.example.com/twilio/media"
    assert read.public("/twilio/after") == "https://gw.example.com/twilio/after"
    assert (read.stt.model, read.tts.model) == ("flux-general-en", "sonic-3")
    assert not read.local_bench


def test_loopback_may_be_plain_http() -> None:
    assert (
        settings(PUBLIC_URL="http://127.0.0.1:8080").media_url("/twilio/media")
        == "ws://127.0.0.1:8080/twilio/media"
    )
    assert settings(PUBLIC_URL="http://localhost:1").public_url == "http://localhost:1"


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_each_required_one_is_missed(missing: str) -> None:
    assert f"{missing} is missing" in fault(**{missing: " "})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PUBLIC_URL", "gw.example.com", "PUBLIC_URL must be a URL"),
        ("PUBLIC_URL", "http://gw.example.com", "PUBLIC_URL must be https"),
        ("PUBLIC_URL", "https://gw.example.com?a=1", "scheme, host and path alone"),
        ("PUBLIC_URL", "https://gw.example.com:port", "PUBLIC_URL must be a URL"),
        ("PORT", "70000", "PORT must be a port number, not '70000'"),
        ("HOST", "999.1.1.1", "HOST must be an address or a host's name, not '999.1.1.1'"),
        ("HOST", "::zz", "HOST must be an address"),
        ("PORT", "x", "PORT must be a port number"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of debug, info, warning, error"),
        ("DEEPGRAM_URL", "ftp://x", "DEEPGRAM_URL must be a URL"),
        ("DEEPGRAM_CHUNK_MS", "30", "DEEPGRAM_CHUNK_MS must be 20 to 200 in steps of 20"),
        ("TTS_MODEL", "sonic-2", "TTS_MODEL names sonic-2, which its vendor has switched off; sonic-3 works"),
        ("TTS_MODEL", "sonic-turbo", "switched off"),
        ("TTS_MODEL", "nova-3", "TTS_MODEL must be one of its vendor's models (sonic-…), not 'nova-3'"),
        ("STT_MODEL", "sonic-2", "STT_MODEL must be one of its vendor's models"),
        ("MASTER_KEY", "c2hvcnQ=", "MASTER_KEY must be 32 bytes in base64"),
        ("MASTER_KEY", "?", "MASTER_KEY must be 32 bytes in base64"),
        ("MEDIA_START_S", "0", "MEDIA_START_S must be a positive number"),
        ("MEDIA_START_S", "inf", "MEDIA_START_S must be a positive number"),
        ("MEDIA_GARBAGE_FRAMES", "1.5", "MEDIA_GARBAGE_FRAMES must be a positive whole number"),
        ("OUTBOUND_FRAME_MS", "10", "OUTBOUND_FRAME_MS must be 20 to 100"),
        ("SILENCE_PROMPT_S", "-1", "SILENCE_PROMPT_S must be a positive number"),
        ("MAX_FILLERS", "-1", "MAX_FILLERS must be 0 or a positive whole number"),
        ("LLM_HEDGE_AFTER_S", "soon", "LLM_HEDGE_AFTER_S must be off or a positive number of seconds"),
        ("LLM_FALLBACK_BASE_URL", "https://llm.example.com/v1", "LLM_FALLBACK_API_KEY need each other"),
        ("GATEWAY_LOCAL_BENCH", "maybe", "GATEWAY_LOCAL_BENCH must be true or false"),
        ("DEFAULT_ORG", str(UUID(int=1)), "under GATEWAY_LOCAL_BENCH alone"),
    ],
)
def test_nonsense_stops_the_start(name: str, value: str, told: str) -> None:
    assert told in fault(**{name: value})


def test_several_master_keys_are_taken_newest_first(tmp_path: Path) -> None:
    new, old = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    file = tmp_path / "keys"
    file.write_text(f"# since May\n{new}\n\n{old}  # until May\n")
    for read in (settings(MASTER_KEY=f"{new},{old}"), settings(MASTER_KEY="", MASTER_KEY_FILE=str(file))):
        assert read.master_keys == (b"\x01" * 32, b"\x02" * 32)
        assert read.master_key == b"\x01" * 32


def test_a_file_of_master_keys_that_cannot_be_is_told_without_a_word_of_it(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    for text, told in (("", "holds no key"), ("hunter2", "32 bytes"), ("é", "cannot be read")):
        file.write_text(text)
        said = fault(MASTER_KEY="", MASTER_KEY_FILE=str(file))
        assert told in said
        assert "hunter2" not in said
    assert "cannot be read" in fault(MASTER_KEY="", MASTER_KEY_FILE=str(tmp_path / "none"))
    assert "both given" in fault(MASTER_KEY_FILE=str(file))
    key = base64.b64encode(bytes(32)).decode()
    assert "each given once" in fault(MASTER_KEY=f"{key} {key}")


def test_waits_of_the_adapters_reach_them() -> None:
    read = settings(DEEPGRAM_MUTE_AFTER_S="1.5", LLM_READ_S="7", CARTESIA_IDLE_S="2.5", PHRASE_S="4")
    clients = Clients(read)
    spoken = clients.voice(PROCESS_KEYS, None)
    assert (spoken.idle_s, spoken.phrase_s) == (2.5, 4.0)
    assert clients.hearing(PROCESS_KEYS).mute_after_s == 1.5
    assert clients.thinking(PROCESS_KEYS).read_s == 7.0


def test_a_fallback_is_on_the_same_server_unless_told_otherwise() -> None:
    clients = Clients(settings(LLM_FALLBACK_MODEL="gpt-4.1-nano"))
    instead = clients.thinking_instead(OrgKeys(llm="own"))
    assert instead is not None
    assert (instead.model, instead.api_key) == ("gpt-4.1-nano", "own")
    assert instead.base_url == clients.thinking(PROCESS_KEYS).base_url


def test_an_org_with_its_own_key_is_never_sent_to_another_server() -> None:
    elsewhere = {
        "LLM_FALLBACK_MODEL": "gpt-4.1-nano",
        "LLM_FALLBACK_BASE_URL": "https://llm.example.com/v1",
        "LLM_FALLBACK_API_KEY": "fallback-key",
    }
    clients = Clients(settings(**elsewhere))
    instead = clients.thinking_instead(PROCESS_KEYS)
    assert instead is not None
    assert (instead.base_url, instead.api_key) == ("https://llm.example.com/v1", "fallback-key")
    assert clients.thinking_instead(OrgKeys(llm="own")) is None
    assert "fallback-key" not in repr(settings(**elsewhere))


def test_fillers_and_kept_connections_can_be_switched_off() -> None:
    chosen = settings(MAX_FILLERS="0", LLM_KEEPALIVE_S="0")
    assert chosen.conversation["max_fillers"] == 0
    assert chosen.llm.waits["keepalive_s"] == 0


def test_hedging_can_be_switched_off() -> None:
    assert settings().hedging.after_s == 0.5
    assert settings(LLM_HEDGE_AFTER_S="off").hedging.after_s is None
    assert settings().hedging.fallback is None


def test_all_faults_are_told_in_one_line() -> None:
    told = fault(PORT="x", LOG_LEVEL="y", CARTESIA_API_KEY="")
    assert "\n" not in told
    assert [name in told for name in ("PORT", "LOG_LEVEL", "CARTESIA_API_KEY")] == [True] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "mysql://u:hunter2@h"), ("MASTER_KEY", "hunter2"), ("REDIS_URL", "x:hunter2")],
)
def test_secrets_are_not_repeated(name: str, value: str) -> None:
    assert "hunter2" not in fault(**{name: value})


def test_a_vonage_application_is_whole_and_its_key_is_one() -> None:
    ours = {
        "VONAGE_APPLICATION_ID": OURS.application_id,
        "VONAGE_PRIVATE_KEY": OURS.private_key.replace("\n", "\\n"),
        "VONAGE_SIGNATURE_SECRET": OURS.signature_secret,
    }
    assert settings(**ours).vonage.private_key.strip() == OURS.private_key.strip()
    for name in ours:
        assert "belong together" in fault(**ours | {name: ""})
    told = fault(**ours | {"VONAGE_PRIVATE_KEY": OURS.private_key[:300]})
    assert "VONAGE_PRIVATE_KEY: a private key is" in told
    assert OURS.private_key[100:120] not in told
    assert OURS.private_key[100:120] not in str(settings(**ours))
    assert "VONAGE_APPLICATION_ID must be a UUID" in fault(**ours | {"VONAGE_APPLICATION_ID": "x"})


def test_secrets_are_not_shown() -> None:
    shown = repr(settings())
    assert not [
        secret for secret in ("secret", "dg-key", "llm-key", "ct-key", "twilio-token") if secret in shown
    ]


def test_local_bench_refuses_a_public_address() -> None:
    assert "GATEWAY_LOCAL_BENCH" in fault(GATEWAY_LOCAL_BENCH="1")
    assert "GATEWAY_LOCAL_BENCH" in fault(GATEWAY_LOCAL_BENCH="1", PUBLIC_URL="http://192.168.0.7:8080")


def test_local_bench_refuses_to_listen_to_others() -> None:
    assert "needs a loopback HOST" in fault(**BENCH, HOST="0.0.0.0")  # noqa: S104 - refused
    assert "needs a loopback HOST" in fault(**BENCH, HOST="192.168.0.7")
    assert settings(**BENCH, HOST="::1").local_bench


@pytest.mark.parametrize(("text", "on"), [("1", True), (" true ", True), ("", False), ("maybe", False)])
def test_whether_the_local_bench_is_on(text: str, on: bool) -> None:
    assert is_local_bench({"GATEWAY_LOCAL_BENCH": text}) is on


def test_local_bench_needs_no_carrier_and_may_name_an_org() -> None:
    read = settings(**BENCH, TWILIO_ACCOUNT_SID="", TWILIO_AUTH_TOKEN="", DEFAULT_ORG=str(UUID(int=7)))
    assert (read.local_bench, read.default_org) == (True, UUID(int=7))


def test_waits_and_conversation_numbers_are_settings() -> None:
    read = settings(MEDIA_START_S="3.5", MEDIA_GARBAGE_FRAMES="7", SILENCE_PROMPT_S="2", MAX_TOOL_ROUNDS="3")
    assert (read.waits.media_start_s, read.limits.media_garbage_frames) == (3.5, 7)
    assert (read.conversation["silence_prompt_s"], read.conversation["max_tool_rounds"]) == (2.0, 3)


def test_dotenv_lies_beneath_the_environment(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1234\nHOST=127.0.0.2\n")
    read = load(GOOD | {"PORT": "4321"}, env_file=file)
    assert (read.host, read.port) == ("127.0.0.2", 4321)


def test_every_variable_is_known_once() -> None:
    names = [variable.name for variable in variables()]
    assert len(names) == len(set(names))
    assert set(GOOD) <= set(names)
