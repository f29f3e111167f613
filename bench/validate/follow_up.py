"""The call ended without a booking: a campaign stands, and the text is with the provider within seconds."""

import asyncio
from datetime import datetime
from typing import Any, Final

from bench.validate.calling import Call
from bench.validate.checked import Checked
from bench.validate.deployment import Deployment
from bench.validate.trial import TrialOrg
from gateway.status.thresholds import HANDOVER_S

NAME: Final = "follow-up"
PATIENCE_S: Final = 30.0
_SETTLED: Final = frozenset({"sent", "delivered", "failed", "skipped"})


async def follow_ups(org: TrialOrg) -> list[dict[str, Any]]:
    """The org's, once each has come to something or patience is at its end."""
    for _ in range(round(PATIENCE_S / 0.25)):
        items: list[dict[str, Any]] = (await org.api.done("GET", "/follow-ups"))["items"]
        if items and all(each["state"] in _SETTLED for each in items):
            break
        await asyncio.sleep(0.25)
    return items


def check(deployment: Deployment, call: Call, found: list[dict[str, Any]]) -> Checked:
    """`found`: the org's follow-ups after its one call."""
    if deployment.phone is None:
        return Checked(NAME, None, "not tried: nobody may be texted (--text-to)")
    return _judged(found, call.failure)


def _judged(found: list[dict[str, Any]], failure: str | None) -> Checked:
    if len(found) != 1:
        return Checked(NAME, False, f"{len(found)} follow-ups of one call ({failure or 'it went well'})")
    one = found[0]
    took_s = _seconds(one["settled_at"], one["handed_at"])
    on_time = took_s is not None and took_s <= HANDOVER_S
    campaign = "a campaign" if one["campaign_id"] else "no campaign"
    handed = "no text was handed over" if took_s is None else f"the text handed over after {took_s:.2f} s"
    reason = f" ({one['reason']})" if one["reason"] else ""
    return Checked(
        NAME,
        on_time and one["campaign_id"] is not None,
        f"{campaign} and {handed}, {HANDOVER_S:g} s at most wanted; {one['state']}{reason}",
        {
            "state": one["state"],
            "reason": one["reason"],
            "campaign": one["campaign_id"] is not None,
            "handed_over_s": None if took_s is None else round(took_s, 3),
        },
    )


def _seconds(begun: str | None, ended: str | None) -> float | None:
    if begun is None or ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
