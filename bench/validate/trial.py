"""The two orgs that are tried out on: made as trials, so that the deployment removes them if we cannot."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from bench.validate.deployment import Api, until_removed
from booking.staff import SCOPES

T = TypeVar("T")
TRIAL_MINUTES: Final = 15
REMOVED_WITHIN_S: Final = 60.0
SERVICE: Final = "Rhinoplasty consultation"
PRACTITIONER: Final = "Dr Trial"


@dataclass(frozen=True, slots=True)
class TrialOrg:
    """`api` speaks with a token of the org's own, which may do everything that one of its people may."""

    org_id: UUID
    service_id: str
    api: Api = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the checks are tried on."""

    ours: TrialOrg
    other: TrialOrg


@asynccontextmanager
async def on_trial(api: Api, number: str, left: list[UUID]) -> AsyncIterator[Trial]:
    """`api` is the platform's. The first of the orgs answers `number`. Removed whatever ends the block.

    `left` gets those that could not be: the deployment's sweep removes them once their time is over.
    """
    ids = (uuid4(), uuid4())
    try:
        yield Trial(await _made(api, ids[0], [number]), await _made(api, ids[1], []))
    finally:
        await to_its_end(_remove(api, ids, left))


async def _made(api: Api, org_id: UUID, numbers: Sequence[str]) -> TrialOrg:
    """It is asked for to the end: one that is removed before it has been made would be made all the same."""
    path = f"/orgs/{org_id}"
    await to_its_end(api.done("PUT", path, _clinic(numbers), trial_minutes=str(TRIAL_MINUTES)))
    rules = {"consent": "inquiry", "quiet_from": "00:00", "quiet_to": "00:00"}
    await api.done("PATCH", f"{path}/follow-up", rules)
    scopes = [scope for scope in SCOPES if not scope.startswith("role:")] + ["role:clinician"]
    token = (await api.done("PUT", f"{path}/tokens/validate", {"scopes": scopes, "days": 1}))["token"]
    services = (await api.done("GET", path))["services"]
    return TrialOrg(org_id, services[0]["id"], api.with_token(token))


def _clinic(numbers: Sequence[str]) -> dict[str, Any]:
    return {
        "name": f"Trial clinic {secrets.token_hex(4)}",
        "time_zone": "Europe/London",
        "greeting": "Hello, this is a trial. How can I help?",
        "numbers": list(numbers),
        "hours": [
            {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "12:00"}
        ],
        "services": [
            {
                "name": SERVICE,
                "minutes": 30,
                "synonyms": ["nose job", "rhinoplasty"],
                "guide": "https://example.org/trial-guide",
            }
        ],
        "practitioners": [PRACTITIONER],
    }


async def _remove(api: Api, ids: Sequence[UUID], left: list[UUID]) -> None:
    """`left` keeps those that could not be."""
    left += ids
    with suppress(TimeoutError):
        async with asyncio.timeout(REMOVED_WITHIN_S):
            for org_id in ids:
                if await until_removed(api, f"/orgs/{org_id}"):
                    left.remove(org_id)


async def to_its_end(work: Awaitable[T]) -> T:
    """What has a limit of its own, however often we are told to stop meanwhile; then that goes on."""
    working, stopped = asyncio.ensure_future(work), False
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            stopped = True
    if stopped:
        if not working.cancelled():
            working.exception()  # looked at: whoever stops has no use for it
        raise asyncio.CancelledError
    return working.result()
