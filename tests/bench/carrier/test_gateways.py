"""Each carrier's side in front of the real gateway: calls that end well, calls on a bad line, forged calls.

All calls run side by side: a telephone's second is a second.
"""

import argparse
import asyncio
import json
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.caller import Manners
from bench.carrier import (
    Account,
    LineFaults,
    PlivoAccount,
    TelnyxAccount,
    TwilioAccount,
    VonageAccount,
)
from bench.carrier.arguments import add_check, check_of
from bench.carrier.check import Check, checked, placed
from bench.carrier.faults import Signing
from bench.carrier.report import Report
from bench.carrier.rest import Exchange, exchange
from bench.demo.ports import reserved
from tests.conftest import Clinic, Stack
from tests.gateway import running

TWILIO = TwilioAccount(running.ACCOUNT, running.AUTH_TOKEN)
PLIVO = PlivoAccount("MA" + "1" * 18, "plivo-auth-token")
TELNYX = TelnyxAccount("telnyx-api-key")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
VONAGE = VonageAccount(
    application_id="aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    signature_secret="vonage-signature-secret-32-bytes!",
    public_key=KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
)
ACCOUNTS: Mapping[str, Account] = {each.name: each for each in (TWILIO, PLIVO, TELNYX, VONAGE)}
BAD_LINE = LineFaults(
    seed=5,
    webhook_doubled=1.0,
    jitter=30,
    loss=0.02,
    reorder=0.05,
    malformed=0.02,
    ack_late=60,
    ack_doubled=0.3,
    close=1200,
)
NOBODY: Final = "+15005550199"
FORGERIES: Final[tuple[Signing, ...]] = ("bad", "missing")
TORN_STREAMS = {"twilio": 2, "telnyx": 2, "plivo": 3, "vonage": 2}
"""Plivo tries the old address once more before its document goes on."""


@dataclass(frozen=True)
class Exchanges:
    """One per carrier, around one gateway."""

    calling: Mapping[str, Exchange]
    gateway: running.Gateway
    number: str

    async def report(
        self, name: str, faults: LineFaults, listen_s: float, number: str | None = None
    ) -> Report:
        check = Check(
            account=ACCOUNTS[name],
            url=running.PUBLIC_URL,
            number=number or self.number,
            caller="+447700900123",
            manners=Manners(quiet_ms=200, patience_s=30.0, goodbye_s=listen_s),
            faults=faults,
        )
        return await placed(self.calling[name], check, [])


@asynccontextmanager
async def exchanges(stack: Stack, clinic: Clinic) -> AsyncIterator[Exchanges]:
    async with AsyncExitStack() as closing:
        ports = {name: closing.enter_context(reserved("127.0.0.1", 0)) for name in ACCOUNTS}
        urls = {f"{name.upper()}_API_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
        vendors = await closing.enter_async_context(running.vendors())
        environ = running.environment(
            stack,
            **vendors.environment(),
            PLIVO_AUTH_ID=PLIVO.auth_id,
            PLIVO_AUTH_TOKEN=PLIVO.auth_token,
            TELNYX_API_KEY=TELNYX.api_key,
            TELNYX_PUBLIC_KEY=TELNYX.public_key,
            VONAGE_APPLICATION_ID=VONAGE.application_id,
            VONAGE_SIGNATURE_SECRET=VONAGE.signature_secret,
            VONAGE_PRIVATE_KEY=KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            MAX_CALL_S="4",
            CLOSING_S="1",
        )
        gateway = await closing.enter_async_context(running.gateway(environ | urls))
        base = Check(account=TWILIO, url=running.PUBLIC_URL, number="", caller="", connect_url=gateway.url)
        calling = {}
        for name, port in ports.items():
            place = replace(base, api_port=port).place()
            calling[name] = await closing.enter_async_context(exchange(ACCOUNTS[name], place))
        yield Exchanges(calling, gateway, clinic.number)
        await gateway.until_idle()


async def test_each_carrier_calls_the_gateway(stack: Stack, clinic: Clinic, tmp_path: Path) -> None:
    async with exchanges(stack, clinic) as made, asyncio.TaskGroup() as group:
        whole = {name: group.create_task(made.report(name, LineFaults(), 30.0)) for name in ACCOUNTS}
        torn = {name: group.create_task(made.report(name, BAD_LINE, 0.1)) for name in ACCOUNTS}
        nobody = [group.create_task(made.report(name, LineFaults(), 0.1, NOBODY)) for name in ACCOUNTS]
        forged = [
            group.create_task(made.report(name, LineFaults(signature=way), 0.1))
            for name in ACCOUNTS
            for way in FORGERIES
        ]
        command = group.create_task(checked(from_arguments(made, tmp_path)))
    for name in ACCOUNTS:
        check_whole(whole[name].result())
        check_torn(torn[name].result())
    for each in nobody:
        check_nobody(each.result())
    for each in forged:
        assert not each.result().taken
        assert each.result().violations == ()
    assert command.result() == 0
    check_files(tmp_path)


def from_arguments(made: Exchanges, folder: Path) -> Check:
    """What the command line asks for."""
    address = ["--url", running.PUBLIC_URL, "--connect-url", made.gateway.url, "--number", made.number]
    account = ["--account", PLIVO.auth_id, "--secret", PLIVO.auth_token]
    files = ["--json", str(folder / "call.json"), "--wav", str(folder / "call.wav")]
    parser = argparse.ArgumentParser()
    add_check(parser)
    line = ["plivo", *address, *account, *files, "--faults", "jitter=20", "--listen", "0.1"]
    return check_of(parser.parse_args(line))


def check_files(folder: Path) -> None:
    told = json.loads((folder / "call.json").read_text())
    assert (told["schema"], told["good"], told["taken"]) == ("clinic-voice-gateway/carrier/1", True, True)
    with wave.open(str(folder / "call.wav")) as recorded:
        assert (recorded.getnchannels(), recorded.getframerate()) == (2, 8000)
        assert recorded.getnframes() == told["caller_ms"] * 8


def check_whole(report: Report) -> None:
    """Greeted, marked, and ended by the gateway over REST."""
    assert report.violations == (), report.carrier
    assert (report.streams, report.end_reason) == (1, "rest_completed"), report.carrier
    assert report.agent_audible_ms > 500
    assert 0 < report.marks_returned <= report.marks_sent
    assert report.answered_ms is not None
    assert report.first_audio_ms is not None
    assert report.steps[0]["step"] == "ConnectStream"


def check_torn(report: Report) -> None:
    """Asked for again, and greeted again, whatever else was done to the line."""
    assert report.violations == (), report.carrier
    assert report.streams == TORN_STREAMS[report.carrier], report.carrier
    assert report.faults_struck["close"] == 1
    assert report.faults_struck["loss"] > 0
    assert report.faults_struck["malformed"] > 0
    assert report.agent_audible_ms > 500


def check_nobody(report: Report) -> None:
    """A sentence of the carrier's own, then the end; Vonage has no word for that."""
    kinds = [step["step"] for step in report.steps]
    assert kinds[0] == "Say"
    assert "not in service" in report.steps[0]["text"]
    assert kinds[1:] in ([], ["Hangup"])
    assert [each.rule.code for each in report.violations] == ["not-taken"], report.carrier
