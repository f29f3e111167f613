"""The check around every async test must itself be able to fail."""

import asyncio
import socket
import subprocess

from tests.conftest import Holdings


async def test_a_task_a_socket_and_a_child_are_noticed_and_then_gone() -> None:
    before = Holdings.now()
    assert Holdings.now().missing_from(before) == []
    task = asyncio.create_task(asyncio.Event().wait())
    ends = socket.socketpair()
    child = await asyncio.create_subprocess_exec("sleep", "60", stdout=subprocess.DEVNULL)
    left = Holdings.now().missing_from(before)
    assert any(line.startswith("task") for line in left)
    assert sum("socket:" in line for line in left) == 2
    assert f"child process {child.pid}" in left
    for end in ends:
        end.close()
    child.kill()
    await child.wait()
    task.cancel()
    await asyncio.wait([task])
