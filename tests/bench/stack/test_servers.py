"""The embedded servers: started, killed, found again, by root and by an ordinary user."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from bench.stack.postgres import EmbeddedPostgres
from bench.stack.process import AlreadyRunning, StackError
from bench.stack.redis import EmbeddedRedis
from bench.stack.watcher import NAME

# Debian's `daemon`: any user but root and the servers' own will do, if it is in /etc/passwd (initdb asks).
_USER = 1

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand a server to another user")

# A supervisor in a process of its own: starts both servers, says where they are, waits to be killed.
_SUPERVISOR = """
import json, sys, time
from pathlib import Path
from bench.stack.postgres import EmbeddedPostgres
from bench.stack.redis import EmbeddedRedis
folder = Path(sys.argv[1])
with EmbeddedPostgres(folder, durable=False) as urls, EmbeddedRedis(folder) as redis:
    print(json.dumps([urls.app, redis]), flush=True)
    sys.stdin.read()
"""


def who(url: str) -> str:
    with psycopg.connect(url) as connection:
        (name,) = connection.execute("select current_user").fetchone() or ("",)
    return str(name)


def pid_of(folder: Path, server: str) -> int:
    return int(json.loads((folder / server / f"{server}.process.json").read_bytes())["pid"])


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cluster has been made and stopped."""
    folder = tmp_path_factory.mktemp("cluster")
    with EmbeddedPostgres(folder, durable=False) as urls:
        assert who(urls.app) == "gw_app"
    return folder


@pytest.fixture
def supervisor(cluster: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _SUPERVISOR, str(cluster)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield process


def test_a_second_start_takes_less_than_two_seconds(cluster: Path) -> None:
    began = time.monotonic()
    with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster) as redis_url:
        took = time.monotonic() - began
        assert [who(url) for url in (urls.owner, urls.app, urls.worker)] == [
            "gw_owner",
            "gw_app",
            "gw_worker",
        ]
        with redis.Redis.from_url(redis_url) as client:
            assert client.ping() is True
    assert took < 2


def test_stopping_leaves_no_process_and_no_folder(cluster: Path) -> None:
    with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster) as redis_url:
        sockets = [Path(urls.app.partition("host=")[2]), Path(redis_url.partition("@")[2]).parent]
        pids = [pid_of(cluster, "postgres"), pid_of(cluster, "redis")]
        assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in sockets)
    assert not any(folder.exists() for folder in sockets)
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_no_tcp_port_and_no_password_in_a_process_listing(cluster: Path) -> None:
    with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster) as redis_url:
        secrets = [url.partition("@")[0].rpartition(":")[2] for url in (urls.owner, urls.app, redis_url)]
        for child in psutil.Process().children():
            assert not [c for c in child.net_connections("inet") if c.status == psutil.CONN_LISTEN]
            assert not any(secret in " ".join(child.cmdline()) for secret in secrets)


@pytest.mark.parametrize("name", ["100% odd #1 ", "one, two "])
def test_the_temporary_folder_may_have_any_name(cluster: Path, name: str) -> None:
    odd = Path(tempfile.mkdtemp(prefix=name))
    odd.chmod(0o755)
    postgres, redis_server = EmbeddedPostgres(cluster, temporary=odd), EmbeddedRedis(cluster, temporary=odd)
    try:
        with postgres as urls, redis_server as redis_url:
            assert who(urls.app) == "gw_app"
            with redis.Redis.from_url(redis_url) as client:
                assert client.ping() is True
        assert not list(odd.iterdir())
    finally:
        odd.rmdir()


def test_a_wrong_password_is_refused(cluster: Path) -> None:
    with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster) as redis_url:
        with pytest.raises(psycopg.OperationalError):
            who(urls.app.replace("@", "x@", 1))
        with redis.Redis.from_url(redis_url.replace("@", "x@", 1)) as client, pytest.raises(redis.RedisError):
            client.ping()


def kill_with_watchers(supervisor: "subprocess.Popen[str]") -> None:
    """As a power cut of all but the servers would."""
    for child in psutil.Process(supervisor.pid).children():
        if NAME in child.cmdline():
            child.kill()
    supervisor.send_signal(signal.SIGKILL)


def test_servers_end_with_a_killed_supervisor(cluster: Path, supervisor: "subprocess.Popen[str]") -> None:
    assert supervisor.stdout is not None
    app, _ = json.loads(supervisor.stdout.readline())
    servers = [psutil.Process(pid_of(cluster, name)) for name in ("postgres", "redis")]
    with closing(psycopg.connect(app)):
        supervisor.kill()
        supervisor.wait()
        deadline = time.monotonic() + 10
        while any(alive(process) for process in servers) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert not any(alive(process) for process in servers)


def test_what_a_killed_supervisor_left_is_stopped_by_the_next(
    cluster: Path, supervisor: "subprocess.Popen[str]"
) -> None:
    assert supervisor.stdout is not None
    old_app, old_redis = json.loads(supervisor.stdout.readline())
    left = [psutil.Process(pid_of(cluster, name)) for name in ("postgres", "redis")]
    with closing(psycopg.connect(old_app)):  # a client that does not go must not keep the server
        kill_with_watchers(supervisor)
        supervisor.wait()
        assert all(alive(process) for process in left)
        with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster) as redis_url:
            assert who(urls.app) == "gw_app"
            assert not any(alive(process) for process in left)
            assert redis_url != old_redis
            assert not Path(old_app.partition("host=")[2]).exists()


def test_a_server_that_a_killed_supervisor_did_not_record_is_stopped_too(
    cluster: Path, supervisor: "subprocess.Popen[str]"
) -> None:
    assert supervisor.stdout is not None
    old_app, _ = json.loads(supervisor.stdout.readline())
    left = psutil.Process(pid_of(cluster, "postgres"))
    (cluster / "postgres" / "postgres.process.json").unlink()
    kill_with_watchers(supervisor)
    supervisor.wait()
    with EmbeddedPostgres(cluster) as urls, EmbeddedRedis(cluster):
        assert not alive(left)
        assert who(urls.app) == "gw_app"
    shutil.rmtree(old_app.partition("host=")[2], ignore_errors=True)


def test_a_living_supervisors_servers_are_left_alone(
    cluster: Path, supervisor: "subprocess.Popen[str]"
) -> None:
    assert supervisor.stdout is not None
    app, _ = json.loads(supervisor.stdout.readline())
    with pytest.raises(AlreadyRunning):
        EmbeddedPostgres(cluster).start()
    with pytest.raises(AlreadyRunning):
        EmbeddedRedis(cluster).start()
    assert who(app) == "gw_app"


def test_a_pid_that_belongs_to_another_process_by_now_is_not_touched(cluster: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander, ExitStack() as end:
        end.callback(bystander.kill)
        record = {"pid": bystander.pid, "created": 1.0, "socket_dir": ""}
        (cluster / "postgres" / "postgres.process.json").write_text(json.dumps(record))
        (cluster / "postgres" / "cluster" / "postmaster.pid").write_text(f"{bystander.pid}\n")
        with EmbeddedPostgres(cluster) as urls:
            assert who(urls.app) == "gw_app"
        assert bystander.poll() is None


def test_a_cluster_half_made_by_a_killed_run_is_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path, durable=False) as urls:
        assert who(urls.owner) == "gw_owner"


def test_a_server_that_cannot_start_says_why(cluster: Path) -> None:
    version = cluster / "postgres" / "cluster" / "PG_VERSION"
    version.rename(version.with_suffix(".away"))
    try:
        with pytest.raises(StackError, match="not a valid data directory"):
            EmbeddedPostgres(cluster).start()
    finally:
        version.with_suffix(".away").rename(version)


@as_root
def test_from_root_a_private_temporary_folder_is_left_aside(cluster: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    redis_server = EmbeddedRedis(cluster, temporary=tmp_path)
    with EmbeddedPostgres(cluster, temporary=tmp_path) as urls, redis_server:
        assert who(urls.app) == "gw_app"
        assert not list(tmp_path.iterdir())


@as_root
def test_from_root_the_servers_run_unprivileged_below_a_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    mode, owner = private.stat().st_mode, private.stat().st_uid
    folder = private / "data"
    with EmbeddedPostgres(folder, durable=False) as urls, EmbeddedRedis(folder):
        assert who(urls.app) == "gw_app"
        for name in ("postgres", "redis"):
            assert 0 not in psutil.Process(pid_of(folder, name)).uids()
    assert (private.stat().st_mode, private.stat().st_uid) == (mode, owner)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of uid 1 that the whole path lets it enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, _USER, _USER)
        yield Path(folder)


@as_root
def test_an_ordinary_user_starts_them_too_and_root_may_take_over_and_give_back(home: Path) -> None:
    drop = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
    command = [*drop, sys.executable, "-c", _SUPERVISOR, str(home)]
    if subprocess.run(
        [*drop, sys.executable, "-c", "import bench"], capture_output=True, check=False
    ).returncode:
        pytest.skip("the checkout is closed to other users")
    for _ in range(2):
        done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with EmbeddedPostgres(home) as urls, EmbeddedRedis(home):
            assert who(urls.app) == "gw_app"
            assert psutil.Process(pid_of(home, "postgres")).uids().real == _USER
