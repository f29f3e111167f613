"""A gateway in a process of its own that crashes in mid-call: what it leaves behind is searched."""

import asyncio
import json
import os
import resource
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from bench.carrier import CallOver, Carrier, CarrierFault, LiveCall, TwilioAccount
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.replies import ScriptedModel
from bench.stack.lifeline import tied
from tests.calls.rig import QUICK, VOICE, ask, say
from tests.calls.test_canaries import every_column, every_key, found_in, server_logs
from tests.compliance.offices import Office
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.recording.stores import ObjectStore, object_store
from tests.gateway.recording.studios import Room

__all__ = ["object_store"]

LINES = [
    "My glaucoma's worse, I'm Ottoline Brackenbury.",
    "It's oh seven seven double oh nine hundred four five six, brackenbury@example.org, near ZE2 9LN.",
]
LAST = "And it's about my psoriasis."
CANARIES = (
    "glaucoma",
    "psoriasis",
    "ottoline",
    "brackenbury",
    "seven seven double oh",
    "07700900456",
    "ze2 9ln",
    "ze29ln",
)
CODE = Path(__file__).parents[2]
OPENED = "opened for writing: "
WATCHED_MAIN = f"""
import os, resource, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
MADE = {{"os.mkdir", "os.rename", "os.link", "os.symlink", "sqlite3.connect"}}

def watch(event, arguments):
    if event in MADE or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES):
        os.write(2, f"{OPENED}{{arguments[0]}}\\n".encode())

sys.addaudithook(watch)
open(os.devnull, "w").close()
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
from gateway.__main__ import main
sys.exit(main())
"""
"""The gateway where images of memory are allowed, and a line on standard error for each file that it opens to
write, a first one for proof.
"""


@dataclass(frozen=True)
class Child:
    """The gateway's process, the address that it serves on and all the folders that were given to it."""

    process: asyncio.subprocess.Process
    url: str
    root: Path

    async def crashed(self) -> str:
        """Have it crash as from a fault in native code; all that it ever wrote on standard error."""
        self.process.send_signal(signal.SIGSEGV)
        _, told = await self.process.communicate()
        return told.decode()

    def files(self) -> dict[str, str]:
        """What lies in its folders, by name."""
        return {
            str(path): path.read_text(errors="replace") for path in self.root.rglob("*") if path.is_file()
        }

    def core_bytes(self) -> int:
        """How much of its memory a crash may leave on disk."""
        return resource.prlimit(self.process.pid, resource.RLIMIT_CORE)[0]

    def open_files(self) -> Iterator[str]:
        """Regular files that it could write to now."""
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                regular = stat.S_ISREG(entry.stat().st_mode)
                if regular and entry.lstat().st_mode & stat.S_IWUSR:
                    yield os.readlink(entry)


@dataclass(frozen=True)
class Around:
    """The child and what it was called through."""

    child: Child
    chat: ChatSimulator
    carrier: Carrier


@asynccontextmanager
async def child_gateway(environ: Mapping[str, str], root: Path) -> AsyncIterator[Child]:
    folders = {name: root / name.lower() for name in ("CWD", "TMPDIR", "HOME")}
    for folder in folders.values():
        folder.mkdir()
    given = {name: str(folders[name]) for name in ("TMPDIR", "HOME")} | {"PYTHONPATH": str(CODE)}
    process = await asyncio.create_subprocess_exec(
        *tied([sys.executable, "-B", "-c", WATCHED_MAIN], signal.SIGKILL),
        env={"PATH": os.environ["PATH"], **given, **environ},
        cwd=folders["CWD"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            assert process.stdout is not None
            ready = json.loads(await process.stdout.readline())
        yield Child(process, ready["url"], root)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def gateway_process(stack: Stack, root: Path, **more: str) -> AsyncIterator[Around]:
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        deepgram = await enter(DeepgramSimulator(Script([*LINES, LAST], word_s=0.1).hearing))
        chat = await enter(ChatSimulator(ScriptedModel([], otherwise="Very well, noted.")))
        cartesia = await enter(CartesiaSimulator(VOICE))
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        environ = running.environment(stack, **QUICK, **vendors, LOG_LEVEL="debug", **more)
        child = await enter(child_gateway(environ, root))
        account = TwilioAccount(running.ACCOUNT, running.AUTH_TOKEN)
        carrier = await enter(Carrier(running.PUBLIC_URL, account, connect_url=child.url))
        yield Around(child, chat, carrier)


async def converse(live: LiveCall) -> None:
    """All lines but the last are answered; in the midst of the answer to that one the call breaks off."""
    await live.agent_answers(500)
    for _ in LINES:
        await ask(live)
    await say(live)
    await live.agent_speaks(100)


async def metrics(child: Child) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(child.url + "/metrics")).text


async def test_a_gateway_that_crashes_in_mid_call_leaves_nothing_personal(
    stack: Stack, clinic: Clinic, tmp_path: Path, pool: asyncpg.Pool, object_store: ObjectStore
) -> None:
    """Its sound is being recorded too, and part of it is stored by then."""
    room = Room(Office.of(pool, clinic), object_store.settings)
    await room.records_sound()
    await room.office.rows("update organizations set recording = 'announced' returning org_id")
    environ = object_store.environment() | {"RECORDINGS_PART_S": "1"}
    async with gateway_process(stack, tmp_path, **environ) as made:
        with suppress(CallOver, CarrierFault):
            async with made.carrier.call(clinic.number, strict=False) as live:
                await converse(live)
                opened, core_bytes = list(made.child.open_files()), made.child.core_bytes()
                shown = await metrics(made.child)
                log = await made.child.crashed()
        heard = " ".join(str(request.messages) for request in made.chat.requests).casefold()
        kept = {"redis": str(await every_key(stack.redis)), **await every_column(stack.admin)}
        places = {"log": log, "metrics": shown, **server_logs(stack), **kept}
        files = made.child.files()

    assert object_store.objects(clinic.claim.org_id)
    assert [
        word for word in ("glaucoma", "psoriasis", "ottoline", "double oh", "ze2") if word not in heard
    ] == []
    assert made.child.process.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in log
    assert log.count('"caller_said"') == len(LINES) + 1
    assert "[REDACTED: MEDICAL]" in log
    assert {where: found for where, text in places.items() if (found := found_in(text, CANARIES))} == {}
    assert (files, opened, core_bytes) == ({}, [], 0)
    assert {line for line in log.splitlines() if line.startswith(OPENED)} == {OPENED + os.devnull}


async def test_a_file_that_is_left_would_be_found(tmp_path: Path) -> None:
    """The watch over files is no guard unless it sees one."""
    writing = WATCHED_MAIN.split("from gateway")[0] + "open('x', 'w').write('psoriasis')"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-c", writing), cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert told.decode().splitlines() == [OPENED + os.devnull, OPENED + "x"]
    assert found_in(str(Child(process, "", tmp_path).files()), CANARIES) == ["psoriasis"]


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
