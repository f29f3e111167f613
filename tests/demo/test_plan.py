"""What the environment leaves to the demo to start."""

from dataclasses import replace

import pytest

from bench.demo.carriers import new_accounts
from bench.demo.plan import PlanImpossible, Servers, SimulatedTwilio, gateway_environment, make_plan
from gateway.settings import load

OFFLINE = Servers(
    app_url="postgresql://gw_app@/gateway?host=/tmp/x",
    redis_url="unix:///tmp/x/redis.sock",
    providers={
        "deepgram": "http://127.0.0.1:1",
        "llm": "http://127.0.0.1:2/v1",
        "cartesia": "http://127.0.0.1:3",
    },
    port=8099,
    twilio=SimulatedTwilio("AC1", "token", "http://127.0.0.1:4"),
    master_key="A" * 43 + "=",
    worker_url="postgresql://gw_worker@/gateway?host=/tmp/x",
)


def test_nothing_set_starts_everything() -> None:
    plan = make_plan({})
    assert plan.offline == ("deepgram", "llm", "cartesia")
    assert plan.embedded_postgres
    assert plan.embedded_redis
    assert plan.simulated_twilio
    settings = load(gateway_environment(plan, OFFLINE), env_file=None)
    assert settings.public_url == "http://127.0.0.1:8099"
    assert (settings.llm.url, settings.llm.model) == ("http://127.0.0.1:2/v1", "scripted-receptionist")
    assert not settings.local_bench


def test_what_is_set_is_not_started() -> None:
    given = {
        "DEEPGRAM_API_KEY": "dg",
        "LLM_API_KEY": "llm",
        "CARTESIA_API_KEY": "ca",
        "DATABASE_URL": "postgresql://app@db/x",
        "DATABASE_OWNER_URL": "postgresql://owner@db/x",
        "REDIS_URL": "redis://r",
        "TWILIO_ACCOUNT_SID": "AC2",
        "TWILIO_AUTH_TOKEN": "real",
    }
    plan = make_plan(given)
    assert plan.offline == ()
    assert not plan.embedded_postgres
    assert not plan.embedded_redis
    assert not plan.simulated_twilio


def test_one_key_replaces_one_provider() -> None:
    assert make_plan({"LLM_API_KEY": "k"}).offline == ("deepgram", "cartesia")
    assert make_plan({"CARTESIA_API_KEY": " "}).offline == ("deepgram", "llm", "cartesia")


def test_given_settings_reach_the_gateway_and_the_owner_url_does_not() -> None:
    given = {
        "PUBLIC_URL": "https://gw.example.com",
        "LOG_LEVEL": "debug",
        "MASTER_KEY": "mine",
        "DATABASE_URL": "postgresql://app@db/x",
        "DATABASE_OWNER_URL": "postgresql://owner@db/x",
    }
    environ = gateway_environment(make_plan(given), OFFLINE)
    assert environ["PUBLIC_URL"] == "https://gw.example.com"
    assert environ["LOG_LEVEL"] == "debug"
    assert environ["MASTER_KEY"] == "mine"
    assert "DATABASE_OWNER_URL" not in environ


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"DATABASE_URL": "postgresql://x/y"}, "DATABASE_OWNER_URL"),
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "99999"}, "PORT"),
        ({"PORT": "²"}, "PORT"),
    ],
)
def test_contradictions_are_one_line(environ: dict[str, str], named: str) -> None:
    with pytest.raises(PlanImpossible, match=named) as impossible:
        make_plan(environ)
    assert "\n" not in str(impossible.value)


def test_another_carriers_account_is_made_up_unless_one_is_given() -> None:
    made = {name: account.settings for name, account in new_accounts(9100).items()}
    given = {"PLIVO_AUTH_ID": "MAOWN", "PLIVO_AUTH_TOKEN": "own"}
    settings = load(gateway_environment(make_plan(given), replace(OFFLINE, carriers=made)), env_file=None)
    assert settings.plivo.auth_id == "MAOWN"
    assert settings.plivo.api_url == "https://api.plivo.com"
    assert settings.telnyx.api_url == settings.vonage.api_url == "http://127.0.0.1:9100"
