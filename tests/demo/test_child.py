"""Children of the supervisor: readiness, last words, clean stop, leftovers of a killed run."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.demo.child import Child, ChildEnded, ChildFailed

FOREVER = "import time; print('up', flush=True); time.sleep(600)"


async def start(child: Child, script: str) -> int:
    async def up() -> bool:
        return child.output.read_bytes().endswith(b"up\n")

    await child.start([sys.executable, "-c", script], os.environ, Path.cwd(), up)
    return int(json.loads((child.log.parent / "thing.pid").read_text())["pid"])


async def test_runs_until_stopped(tmp_path: Path) -> None:
    child = Child("thing", tmp_path)
    pid = await start(child, FOREVER)
    assert (tmp_path / "thing.pid").exists()
    await child.stop()
    assert not psutil.pid_exists(pid)
    assert "thing.pid" not in os.listdir(tmp_path)
    await child.stop()


async def test_one_that_ends_at_once_gives_its_last_words(tmp_path: Path) -> None:
    child = Child("thing", tmp_path)
    with pytest.raises(ChildFailed, match=r"(?s)the thing ended at once with 3.*no such setting"):
        await start(child, "import sys; print('no such setting', file=sys.stderr); sys.exit(3)")


async def test_its_end_is_noticed(tmp_path: Path) -> None:
    child = Child("thing", tmp_path)
    pid = await start(child, FOREVER)
    watching = asyncio.create_task(child.watch())
    psutil.Process(pid).kill()
    with pytest.raises(ChildEnded, match="the thing ended with -9"):
        await watching
    await child.stop()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from bench.demo.child import Child

async def main():
    child = Child("thing", Path(sys.argv[1]))
    async def up():
        return child.has_spoken
    await child.start([sys.executable, "-c", sys.argv[2]], os.environ, Path.cwd(), up)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own doing")
def test_it_ends_with_a_killed_supervisor(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), FOREVER], check=False, timeout=30)
    pid = int(json.loads((tmp_path / "thing.pid").read_text())["pid"])
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(pid)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ORPHAN = (
    "import subprocess as s, sys; "
    "print(s.Popen([sys.executable, '-c', {script!r}], stdout=s.DEVNULL, stderr=s.DEVNULL).pid)"
)


def test_leftover_of_a_killed_run_is_ended(tmp_path: Path) -> None:
    """The process has lost its parent, as after a kill of the supervisor."""
    script = "import time; time.sleep(600)"
    launched = subprocess.run(
        [sys.executable, "-c", ORPHAN.format(script=script)], capture_output=True, text=True, check=True
    )
    orphan = psutil.Process(int(launched.stdout))
    (tmp_path / "thing.pid").write_text(json.dumps({"pid": orphan.pid, "created": orphan.create_time()}))
    Child("thing", tmp_path).stop_leftover()
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert list(tmp_path.iterdir()) == []


def test_a_pid_that_is_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thing.pid").write_text(f'{{"pid": {os.getpid()}, "created": 1.0}}')
    Child("thing", tmp_path).stop_leftover()
    (tmp_path / "thing.pid").write_text("nonsense")
    Child("thing", tmp_path).stop_leftover()
    assert list(tmp_path.iterdir()) == []
