"""A provider's fault in what Vapi uses of ours: counted and told, as those of our own calls are."""

from typing import Literal

import structlog

from gateway.routes.edge import Edge
from pipeline.errors import ProviderError

log = structlog.get_logger("gateway.vapi")


def note_fault(
    edge: Edge, fault: ProviderError, action: Literal["retried", "apologised", "gave_up"], call: str = ""
) -> None:
    """`call`: our id of it, where it is known."""
    told = {"provider": fault.provider, "fault": fault.fault, "action": action}
    edge.metrics.provider_faults.labels(**told).inc()
    log.warning("provider_failed", **told, **({"call": call} if call else {}))
