"""Many claims at one slot at the same time, over HTTP: one gets it, each other one is told what is free."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.validate.checked import Checked
from bench.validate.deployment import Answer
from bench.validate.trial import TrialOrg

NAME: Final = "concurrent claims"


async def check(org: TrialOrg, claims: int) -> Checked:
    """The slot is the soonest that is free."""
    slot_id = (await _free(org))[0]
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(org.api.request("POST", "/holds", {"slot_id": slot_id})) for _ in range(claims)
        ]
    answers = [task.result() for task in asking]
    return _judged(answers, slot_still_free=slot_id in await _free(org))


async def _free(org: TrialOrg) -> list[str]:
    page = await org.api.done("GET", "/slots", service_id=org.service_id, limit="20")
    return [slot["id"] for slot in page["items"]]


def _judged(answers: Sequence[Answer], *, slot_still_free: bool) -> Checked:
    by_status = Counter(answer.status for answer in answers)
    helpful = sum(answer.status == 409 and bool(answer.body.get("alternatives")) for answer in answers)
    slowest_ms = max(answer.took_ms for answer in answers)
    passed = by_status[201] == 1 and helpful == len(answers) - 1 and not slot_still_free
    told = f"{by_status[201]} of {len(answers)} got the slot, {helpful} were told what is free instead"
    return Checked(
        NAME,
        passed,
        told + (", yet it is still on offer" if slot_still_free else ""),
        {
            "claims": len(answers),
            "statuses": {str(status): count for status, count in sorted(by_status.items())},
            "with_alternatives": helpful,
            "slowest_ms": round(slowest_ms, 1),
        },
    )
