"""Commands run inside the tests' process, in a thread: one of their own costs each a second of imports."""

import asyncio
import io
import os
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock


async def run_inside(
    main: Callable[[list[str]], int], *arguments: str, environ: Mapping[str, str]
) -> tuple[int, str]:
    """Exit status and all that was written. The process's environment is changed meanwhile: one at a time."""
    told = io.StringIO()

    def run() -> int:
        try:
            return main(list(arguments))
        except SystemExit as refusal:  # argparse's
            return int(refusal.code or 0)

    with mock.patch.dict(os.environ, environ), redirect_stdout(told), redirect_stderr(told):
        async with asyncio.timeout(60):
            status = await asyncio.to_thread(run)
    return status, told.getvalue()
