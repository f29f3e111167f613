"""Values that the demo cannot start with: one line on the terminal, exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99999", "PORT must be a port number, not '99999'"),
        ("HOST", "999.1.1.1", "HOST must be an address or a host's name, not '999.1.1.1'"),
        ("HOST", "192.0.2.1", "HOST must be an address of this machine, not '192.0.2.1'"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1", "REDIS_URL must name a Redis that answers"),
    ],
)
def test_a_wrong_value_is_one_line(tmp_path: Path, name: str, value: str, told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "demo", "--once"],
        cwd=tmp_path,
        env={each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ} | {name: value},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    printed = [line for line in ended.stdout.splitlines() if line and not line.startswith((" ", "Starting"))]
    assert [line.partition(" (")[0] for line in printed] == [told]
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    assert ended.returncode == 2
