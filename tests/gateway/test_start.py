"""`python -m gateway` that cannot start: one line, and an exit code."""

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.conftest import Stack
from tests.gateway.test_environment import GOOD

GOOD_HERE = GOOD | {"PORT": "0", "DATABASE_URL": "postgresql://gw_app:hunter2@127.0.0.1:1/gateway"}


def start(**changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway"],
        env={"PATH": os.environ["PATH"]} | GOOD_HERE | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_unreachable_database_is_one_line() -> None:
    ended = start()
    (line,) = ended.stderr.splitlines()
    assert json.loads(line)["event"] == "database_refused"
    assert "hunter2" not in line
    assert ended.returncode == 3


def test_the_local_bench_is_told_first() -> None:
    first, *_ = start(GATEWAY_LOCAL_BENCH="true", PUBLIC_URL="http://127.0.0.1:1").stderr.splitlines()
    assert "GATEWAY_LOCAL_BENCH is on: carriers are NOT checked" in first


@pytest.mark.parametrize(("name", "value"), [("PORT", "99999"), ("HOST", "999.1.1.1")])
def test_a_wrong_value_is_one_line(name: str, value: str) -> None:
    ended = start(**{name: value})
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"gateway: {name} must be")
    assert ended.returncode == 2


def test_a_port_that_is_taken_ends_it_with_one_line(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = start(
            HOST="127.0.0.1",
            PORT=port,
            DATABASE_URL=stack.postgres.app,
            DATABASE_WORKER_URL=stack.postgres.worker,
            REDIS_URL=stack.redis,
        )
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["port"] for line in told if line["event"] == "cannot_listen"] == [int(port)]
    assert ended.returncode == 3
