"""Each carrier's side in front of the real gateway: calls that end well, calls on a bad line, forged calls.

All calls run side by side: a telephone's second is a second.
"""

import argparse
import asyncio
import json
import wave
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.caller import Manners
from bench.carrier import CallRecord, LineFaults, PlivoAccount
from bench.carrier.arguments import add_check, check_of
from bench.carrier.check import Check, checked, placed
from bench.carrier.credentials import CARRIERS
from bench.carrier.faults import Signing
from bench.carrier.own import OwnAccount, new_account
from bench.carrier.record import ClearCame, MarkCame, MarkWentBack
from bench.carrier.report import Report
from bench.carrier.rest import Exchange, exchange
from bench.demo.ports import reserved
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, tone
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, Reply, ScriptedModel, WireMessage, WireTool
from tests.conftest import Clinic, Stack
from tests.gateway import running

ASKING_HZ, LEAVING_HZ = 440, 620
LINES: Final = {
    ASKING_HZ: ["Tell me about the clinic.", "Wait a moment please."] * len(CARRIERS),
    LEAVING_HZ: ["That is all."] * 2 * len(CARRIERS),
}
LONG: Final = Reply("Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 9)))
GOODBYE: Final = Reply("Goodbye then.", (Call("end_call", {}),))
WAITS: Final = {"MEDIA_IDLE_S": "3", "MARK_WAIT_S": "1", "FILLER_AFTER_S": "10"}
FLUSHING: Final = {"twilio", "telnyx"}
"""A clear brings back the marks of what it drops; Plivo says that it does not, Vonage nothing."""
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


def answer(messages: Sequence[WireMessage], _tools: Sequence[WireTool]) -> Reply:
    """At length, until the caller is done."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    return GOODBYE if said and "That is all." in str(said[-1]) else LONG


@dataclass(frozen=True)
class Exchanges:
    """One per carrier, around one gateway."""

    own: Mapping[str, OwnAccount]
    calling: Mapping[str, Exchange]
    gateway: running.Gateway
    number: str

    async def report(
        self, name: str, faults: LineFaults, turns: Sequence[bytes] = (), number: str | None = None
    ) -> Report:
        """A call of these turns."""
        check = Check(
            account=self.own[name].account,
            url=running.PUBLIC_URL,
            number=number or self.number,
            caller="+447700900123",
            manners=Manners(quiet_ms=200, patience_s=30.0, goodbye_s=30.0 if turns else 0.1),
            faults=faults,
        )
        return await placed(self.calling[name], check, turns)

    async def half_dead(self, name: str) -> CallRecord:
        """A call whose line falls silent: the gateway gives the socket up, and is asked what follows."""
        line = self.calling[name].carrier.call(self.number, faults=LineFaults(half_dead=300))
        async with asyncio.timeout(60), line as live:
            await live.until(lambda record: record.streams == 2)
        return live.record

    async def interrupted(self, name: str) -> CallRecord:
        """A call that is heard, answered, and heard again over the answer."""
        async with asyncio.timeout(60), self.calling[name].carrier.call(self.number) as live:
            await live.agent_answers(200)
            before_ms = live.record.agent_audible_ms
            await live.say(tone(0.5, ASKING_HZ))
            await live.until(
                lambda record: record.agent_audible_ms > before_ms + 200 and has_mark_out(record)
            )
            await live.press("5")
            await live.say(tone(0.8, ASKING_HZ))
            await live.until(lambda record: any(isinstance(event, ClearCame) for event in record.wire))
        return live.record


@asynccontextmanager
async def exchanges(stack: Stack, clinic: Clinic) -> AsyncIterator[Exchanges]:
    own = {name: new_account(name) for name in CARRIERS}
    script, model = Script(LINES, word_s=0.1), ScriptedModel([], otherwise=answer)
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        deepgram, chat = await enter(DeepgramSimulator(script.hearing)), await enter(ChatSimulator(model))
        cartesia = await enter(CartesiaSimulator(ToneVoice(ms_per_char=20.0)))
        environ = running.Vendors(deepgram, chat, cartesia).environment() | WAITS
        ports = {name: closing.enter_context(reserved("127.0.0.1", 0)) for name in CARRIERS}
        for name, port in ports.items():
            environ |= own[name].environment(f"http://127.0.0.1:{port}")
        gateway = await enter(running.gateway(running.environment(stack) | environ))
        calling = {}
        for name, port in ports.items():
            account = own[name].account
            check = Check(
                account=account,
                url=running.PUBLIC_URL,
                number=clinic.number,
                caller="",
                connect_url=gateway.url,
                api_port=port,
            )
            calling[name] = await enter(exchange(account, check.place()))
        yield Exchanges(own, calling, gateway, clinic.number)
        await gateway.until_idle()


async def test_each_carrier_calls_the_gateway(stack: Stack, clinic: Clinic, tmp_path: Path) -> None:
    async with exchanges(stack, clinic) as made, asyncio.TaskGroup() as group:
        whole = {
            name: group.create_task(made.report(name, LineFaults(), [tone(0.5, LEAVING_HZ)]))
            for name in CARRIERS
        }
        torn = {name: group.create_task(made.report(name, BAD_LINE)) for name in CARRIERS}
        dead = {name: group.create_task(made.half_dead(name)) for name in CARRIERS}
        unmarked = {
            name: group.create_task(made.report(name, LineFaults(ack_lost=1.0), [tone(0.5, LEAVING_HZ)]))
            for name in CARRIERS
        }
        cut = {name: group.create_task(made.interrupted(name)) for name in CARRIERS}
        nobody = [group.create_task(made.report(name, LineFaults(), number=NOBODY)) for name in CARRIERS]
        forged = [
            group.create_task(made.report(name, LineFaults(signature=way)))
            for name in CARRIERS
            for way in FORGERIES
        ]
        command = group.create_task(checked(from_arguments(made, tmp_path)))
    for name in CARRIERS:
        check_whole(whole[name].result())
        check_whole(unmarked[name].result())
        check_torn(torn[name].result())
        assert dead[name].result().close_codes[0] == 1008
        check_interrupted(name, cut[name].result())
    for each in nobody:
        check_nobody(each.result())
    for each in forged:
        assert not each.result().taken
        assert each.result().violations == ()
    assert command.result() == 0
    check_files(tmp_path)


def from_arguments(made: Exchanges, folder: Path) -> Check:
    """What the command line asks for."""
    plivo = made.own["plivo"].account
    assert isinstance(plivo, PlivoAccount)
    address = ["--url", running.PUBLIC_URL, "--connect-url", made.gateway.url, "--number", made.number]
    account = ["--account", plivo.auth_id, "--secret", plivo.auth_token]
    files = ["--json", str(folder / "call.json"), "--wav", str(folder / "call.wav")]
    parser = argparse.ArgumentParser()
    add_check(parser)
    line = ["plivo", *address, *account, *files, "--faults", "jitter=20", "--listen", "0.1"]
    return check_of(parser.parse_args(line))


def has_mark_out(record: CallRecord) -> bool:
    """Audio is queued whose mark has not gone back."""
    back = {event.name for event in record.wire if isinstance(event, MarkWentBack)}
    return any(isinstance(event, MarkCame) and event.name not in back for event in record.wire)


def check_files(folder: Path) -> None:
    told = json.loads((folder / "call.json").read_text())
    assert (told["schema"], told["good"], told["taken"]) == ("clinic-voice-gateway/carrier/1", True, True)
    with wave.open(str(folder / "call.wav")) as recorded:
        assert (recorded.getnchannels(), recorded.getframerate()) == (2, 8000)
        assert recorded.getnframes() == told["caller_ms"] * 8


def check_whole(report: Report) -> None:
    """Greeted, heard, answered, and ended by the gateway over REST."""
    assert report.violations == (), report.carrier
    assert (report.streams, report.end_reason) == (1, "rest_completed"), report.carrier
    assert report.agent_audible_ms > 500
    assert 0 < report.marks_returned <= report.marks_sent
    assert len(report.answers_ms) == 1
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


def check_interrupted(name: str, record: CallRecord) -> None:
    """Audio went both ways, and the rest of the answer was dropped."""
    clear = next(event for event in record.wire if isinstance(event, ClearCame))
    assert clear.dropped_ms > 500, name
    flushed = [event for event in record.wire if isinstance(event, MarkWentBack) and event.flushed]
    assert bool(flushed) == (name in FLUSHING), name


def check_nobody(report: Report) -> None:
    """A sentence of the carrier's own, then the end; Vonage has no word for that."""
    kinds = [step["step"] for step in report.steps]
    assert kinds[0] == "Say"
    assert "not in service" in report.steps[0]["text"]
    assert kinds[1:] in ([], ["Hangup"])
    assert [each.rule.code for each in report.violations] == ["not-taken"], report.carrier
