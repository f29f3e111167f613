"""Whom `python -m bench carrier` calls, and with which account, as its arguments and the folder tell."""

import argparse
from dataclasses import astuple
from pathlib import Path

import pytest

from bench.carrier import PlivoAccount, VonageAccount
from bench.carrier.arguments import add_check, check_of
from bench.carrier.check import Check
from bench.demo.carriers import new_accounts
from bench.demo.running import Running
from bench.harness.target import TargetUnusable


def asked(*line: str) -> Check:
    parser = argparse.ArgumentParser()
    add_check(parser)
    return check_of(parser.parse_args(line))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which no demo runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def serve(folder: Path, *carriers: str) -> dict[str, tuple[str, str, str]]:
    """What a demo writes down that has made up accounts at these carriers."""
    accounts = {name: astuple(new_accounts(9100)[name].credentials) for name in carriers}
    running = Running(
        public_url="http://127.0.0.1:8081", connect_url="http://127.0.0.1:8081", redis_url="",
        database_url="", account_sid="AC1", auth_token="t", carriers=accounts, api_port=9100,
    )  # fmt: skip
    (folder / ".data" / "run").mkdir(parents=True)
    running.publish(folder / ".data" / "run")
    return accounts


def test_without_an_address_the_demo_here_is_called_with_its_accounts(here: Path) -> None:
    accounts = serve(here, "plivo", "vonage")
    plivo, vonage, twilio = asked("plivo"), asked("vonage"), asked("twilio")
    assert plivo.account == PlivoAccount(*accounts["plivo"][:2])
    assert isinstance(vonage.account, VonageAccount)
    assert (vonage.account.application_id, vonage.account.signature_secret, vonage.account.public_key) == (
        accounts["vonage"]
    )
    assert {each.url for each in (plivo, vonage, twilio)} == {"http://127.0.0.1:8081"}
    assert [each.api_port for each in (plivo, vonage, twilio)] == [9100, 9100, 0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["telnyx"], "was given to it"),
        (["plivo", "--account", "MA1"], "go with --url"),
    ],
)
def test_what_the_demo_cannot_be_called_with(here: Path, line: list[str], why: str) -> None:
    serve(here, "plivo")
    with pytest.raises(TargetUnusable, match=why):
        asked(*line)


def test_without_either_it_says_what_to_do(here: Path) -> None:
    with pytest.raises(TargetUnusable, match="make run"):
        asked("twilio")
