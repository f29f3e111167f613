"""`/metrics` of `python -m gateway.worker`, which serves nothing else: nobody else tells what jobs count."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import start_http_server

from gateway.errors import SettingsInvalid
from gateway.metrics import Metrics

log = structlog.get_logger("gateway.worker")


@contextmanager
def served(metrics: Metrics, host: str, port: int | None) -> Iterator[None]:
    """While the block lasts, from a thread of its own; port 0: any, None: not at all.

    Raises `SettingsInvalid` if nothing can be served there.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        raise SettingsInvalid(f"nothing can be served at WORKER_METRICS_PORT: {error.strerror}") from None
    log.info("serving_metrics", url=f"http://{host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
