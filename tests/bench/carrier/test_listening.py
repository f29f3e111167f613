"""`python -m bench carrier` before it calls: is there anybody?"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.carrier import TwilioAccount
from bench.carrier.check import NOBODY, Check, run_check
from bench.carrier.errors import NobodyListens
from bench.carrier.listening import require_listener
from bench.demo.ports import reserved
from bench.harness.target import TargetUnusable


@pytest.fixture
def check() -> Iterator[Check]:
    """At a port that nobody else takes, and that nobody listens at."""
    with reserved("127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        yield Check(account=TwilioAccount(), url=url, number="+442079460018", caller="+447700900123")


def test_a_call_to_nobody_is_told_from_one_that_went_badly(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check(check) == NOBODY
    told = capsys.readouterr()
    assert f"nobody listens at {check.url.removeprefix('http://')}" in told.err
    assert told.out == ""
    assert run_check(replace(check, url="wss://gw.example.com/media", connect_url=check.url)) == NOBODY


async def test_whoever_listens_is_found() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await require_listener(f"http://127.0.0.1:{port}/twilio/voice")
    with pytest.raises(NobodyListens):
        await require_listener(f"ws://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "https://:8080", "ftp://gw.example.com"])
def test_an_address_that_makes_no_sense_is_named(check: Check, url: str) -> None:
    with pytest.raises(TargetUnusable):
        replace(check, url=url).place()
