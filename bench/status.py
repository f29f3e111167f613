"""`python -m bench status`: the status of the demo that runs in this folder; if none does, of DATABASE_URL.

Exit codes are those of `python -m gateway.status`.
"""

from pathlib import Path

from bench.demo.running import read_running
from bench.demo.supervisor import run_folder
from gateway.status.__main__ import main


def run_status(*, as_json: bool) -> int:
    """Ask and print."""
    running = read_running(run_folder(Path.cwd()))
    arguments = ["--json"] if as_json else []
    if running is not None and running.worker_url:
        arguments += ["--database-url", running.database_url, "--worker-url", running.worker_url]
        arguments += ["--redis-url", running.redis_url]
    return main(arguments)
