"""One embedded server as a child process: who runs it, where its socket lies, what a killed run left behind.

Rules that both servers need:
- A server never runs as root. Started by root, it is handed to an unprivileged uid that owns its data. A data
  folder below a folder that only root may enter (mode 0700) is reached by keeping one capability,
  read-and-search or, where a container withholds that, override; nothing above the data is chmodded.
- Sockets live in a private folder of the system's temporary folder, or of one that is named: a socket's path
  has room for 107 bytes.
- One process owns a data folder, by a lock that the kernel frees when that process dies. What its servers
  left running is found by pid file and stopped by the next owner.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from bench.stack.watcher import dismiss, watch_over

# Debian's `nobody`; no entry in /etc/passwd is needed.
SERVER_UID = 65534
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
_POLL_S = 0.005
_CAPABILITIES = ("dac_read_search", "dac_override")
_SOCKET_PATH_BYTES = 107
_SOCKET_DIR_PREFIX = "gw-"


class StackError(Exception):
    """An embedded server cannot be had; the message says which and why."""


class AlreadyRunning(StackError):
    """Another living process owns this data folder."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """Under which uid a server runs, and the words put before its command line to get there."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def give(self, path: Path) -> None:
        """Make `path` the server's own."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def enters(self, folder: Path) -> bool:
        """May it pass through `folder`? From root, only what is open to everybody counts."""
        if os.geteuid() != 0:
            return True
        return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def run_as(program: Path, folder: Path) -> RunAs:
    """How to run `program` on `folder`: as ourselves; from root as the folder's owner or, if that is root
    too, as `SERVER_UID`, with as few rights as reach both.

    Raises `StackError` when no way does.
    """
    if os.geteuid() != 0:
        return RunAs(os.geteuid(), os.getegid())
    owner = folder.stat()
    uid, gid = (owner.st_uid, owner.st_gid) if owner.st_uid else (SERVER_UID, SERVER_UID)
    drop = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs")
    kept = [(*drop, f"--inh-caps=-all,+{c}", f"--ambient-caps=-all,+{c}", "--") for c in _CAPABILITIES]
    for prefix in ((*drop, "--inh-caps=-all", "--"), *kept):
        if _succeeds((*prefix, "sh", "-c", 'cd "$1" && exec "$0" --version', str(program), str(folder))):
            return RunAs(uid, gid, prefix)
    raise StackError(f"uid {uid} cannot reach {folder} and {program}; start as an ordinary user instead")


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode == 0
    except FileNotFoundError:
        raise StackError("setpriv (util-linux) is needed to start the embedded servers as root") from None


def own(folder: Path) -> int:
    """Own `folder`, made if missing, until the descriptor is closed or this process dies.

    Raises `AlreadyRunning` if another process does, `StackError` if it is another user's.
    """
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        lock = os.open(folder / "owner.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        raise StackError(f"{folder} belongs to another user") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"another process runs the server of {folder}") from None
    return lock


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """`own` for the length of a `with`."""
    lock = own(folder)
    try:
        yield
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class _Record:
    """What the next owner must know. `created` tells the server from a later process with its pid."""

    pid: int = 0
    created: float = 0.0
    socket_dir: str = ""


class ServerProcess:
    """A server under our care, from its start to its end; `socket_dir` is its private folder for sockets."""

    def __init__(self, name: str, folder: Path, runner: RunAs) -> None:
        self.name = name
        self._record = folder / f"{name}.process.json"
        self._log = folder / f"{name}.log"
        self._runner = runner
        self._child: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self.socket_dir = Path()

    def prepare(self, temporary: Path | None = None) -> Path:
        """Make the private folder for its socket, in `temporary` if the server can be reached there."""
        base = str(temporary or tempfile.gettempdir())
        path_bytes = len(os.fsencode(base)) + len("/gw-xxxxxxxx/.s.PGSQL.65535.lock")
        is_list = "," in base  # as servers and clients read it
        if path_bytes > _SOCKET_PATH_BYTES or is_list or not self._runner.enters(Path(base)):
            base = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
        self.socket_dir = Path(tempfile.mkdtemp(prefix=_SOCKET_DIR_PREFIX, dir=base))
        self._runner.give(self.socket_dir)
        self._remember(_Record(socket_dir=str(self.socket_dir)))
        return self.socket_dir

    def start(self, command: Sequence[str], ready: Callable[[], bool], stdin: bytes = b"") -> None:
        """Run `command` and wait until `ready` says so; after `prepare`. Raises `StackError`."""
        self._log.unlink(missing_ok=True)
        with self._log.open("xb") as log:
            self._child = subprocess.Popen(
                [*self._runner.prefix, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        created = psutil.Process(self._child.pid).create_time()
        self._remember(_Record(self._child.pid, created, str(self.socket_dir)))
        try:
            self._watcher = watch_over(self._child.pid, signal.SIGINT)
            _hand_over(self._child, stdin)
            self._wait_until(self._child, ready)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def stop(self, kindly: signal.Signals) -> None:
        """Ask it to end with `kindly`, then insist; waits for it and removes its socket folder."""
        if self._watcher is not None:
            dismiss(self._watcher)
            self._watcher = None
        if self._child is not None:
            if self._child.poll() is None:
                end_process(psutil.Process(self._child.pid), kindly)
            self._child.wait()
            self._child = None
        self._forget()

    def stop_leftover(self, kindly: signal.Signals) -> None:
        """Stop what a killed owner left running, if it still is that process; remove its socket folder."""
        record = self._recorded()
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(record.pid)
            if process.create_time() == record.created:
                end_process(process, kindly)
        self._forget()

    def _remember(self, record: _Record) -> None:
        self._record.unlink(missing_ok=True)
        self._record.write_bytes(msgspec.json.encode(record))

    def _recorded(self) -> _Record:
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=_Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Record()

    def _forget(self) -> None:
        left = Path(self._recorded().socket_dir)
        if left.name.startswith(_SOCKET_DIR_PREFIX):
            shutil.rmtree(left, ignore_errors=True)
        self._record.unlink(missing_ok=True)

    def _wait_until(self, child: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            if child.poll() is not None:
                raise StackError(f"{self.name} ended at once with {child.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} is not ready after {START_TIMEOUT_S:.0f} s: {self._last_words()}"
                )
            time.sleep(_POLL_S)

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace").strip()[-500:] or "it said nothing"


def _hand_over(child: subprocess.Popen[bytes], stdin: bytes) -> None:
    if child.stdin is not None:
        with suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(stdin)


def end_process(process: psutil.Process, kindly: signal.Signals) -> None:
    """Signal, wait, then kill it and its children (a killed postmaster's go by themselves, but slowly)."""
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.send_signal(kindly)
        if not _all_gone([process], STOP_TIMEOUT_S):
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            _all_gone(family, STOP_TIMEOUT_S)


def _all_gone(processes: Sequence[psutil.Process], timeout_s: float) -> bool:
    """A zombie counts as gone: it holds nothing, and what adopted it may take seconds to reap it."""
    deadline = time.monotonic() + timeout_s
    while any(process.is_running() and not _is_zombie(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
