"""A process that serves, from its settings to its exit status."""

import sys

from gateway import logs
from gateway.app import build_app
from gateway.errors import SettingsInvalid
from gateway.server import GatewayServer
from gateway.settings import load


def serve() -> int:
    """Exit status: 0 after an orderly stop, 2 for settings that make no sense, 3 if the start failed."""
    try:
        settings = load()
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway: {fault}\n")
        return 2
    if settings.local_bench:
        sys.stderr.write("gateway: GATEWAY_LOCAL_BENCH is on: carriers are NOT checked; this machine alone\n")
    logs.configure(settings.log_level)
    logs.guard_process()
    GatewayServer(build_app(settings), settings).run()
    return 0
