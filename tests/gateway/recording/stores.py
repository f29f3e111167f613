"""A real store of objects: rclone's S3 server over a folder. It checks signatures, and what lies there can be
searched as files.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import obstore
import pytest

from bench.stack.lifeline import tied
from gateway.recording.store import open_bucket
from gateway.settings import Recordings

BUCKET = "sound-of-calls"
KEY_ID, SECRET = "AKIDTESTS", "secret-of-the-store"
_SERVES = re.compile(r"http://127\.0\.0\.1:(\d+)/")
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class ObjectStore:
    """`folder`: where its objects lie, as files."""

    settings: Recordings
    folder: Path

    def with_(self, **changes: object) -> Recordings:
        return replace(self.settings, **changes)  # type: ignore[arg-type]

    def environment(self) -> dict[str, str]:
        """As the gateway's settings have it."""
        return {
            "RECORDINGS_ENDPOINT": self.settings.endpoint,
            "RECORDINGS_BUCKET": BUCKET,
            "RECORDINGS_ACCESS_KEY_ID": KEY_ID,
            "RECORDINGS_SECRET_ACCESS_KEY": SECRET,
        }

    def objects(self, name: object = "") -> list[Path]:
        """Of all places with this in them, in order."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and str(name) in str(path))


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    folder = tmp_path_factory.mktemp("objects")
    (folder / "all" / BUCKET).mkdir(parents=True)
    with _serving(folder) as port:
        settings = Recordings(
            f"http://127.0.0.1:{port}", BUCKET, "us-east-1", KEY_ID, SECRET, "recordings", part_s=0.1
        )
        _begin_threads(settings)
        yield ObjectStore(settings, folder / "all" / BUCKET)


def _begin_threads(settings: Recordings) -> None:
    """The library's own, which stay for as long as the process does."""
    obstore.put(open_bucket(settings)._store, "first", b"")


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    command = [str(Path(sys.executable).parent / "rclone"), "serve", "s3", str(folder / "all")]
    command += ["--addr", "127.0.0.1:0", "--auth-key", f"{KEY_ID},{SECRET}"]
    command += ["--config", os.devnull, "--cache-dir", str(folder / "cache")]
    process = subprocess.Popen(tied(command, signal.SIGKILL), stderr=subprocess.PIPE)
    try:
        yield _port(process)
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)
        if process.stderr is not None:
            process.stderr.close()


def _port(process: "subprocess.Popen[bytes]") -> int:
    """As it says itself once it listens."""
    assert process.stderr is not None
    said, until_s = b"", time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        if select.select([process.stderr], [], [], 0.5)[0]:
            said += (more := os.read(process.stderr.fileno(), 4096))
            if found := _SERVES.search(said.decode()):
                return int(found[1])
            assert more, said
    raise AssertionError(said)
