"""Whose call a request of Vapi's is about, and what that org's calls are made with."""

import asyncio
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from booking.values import E164
from gateway.call import Office
from gateway.routes.edge import Edge
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VapiAccount, open_keys
from gateway.vapi.door import require_voice


async def office_reached(
    connection: HTTPConnection, edge: Edge, signer: Signer[VapiAccount], number: str = ""
) -> Office | None:
    """The office of the org that the address names or, at a bare one, that `number` (E.164) belongs to.

    None if that tells no org. Raises HTTPException 401 if the signer does not speak for it, 404 if there is
    none of the address's name, and `OrgUnavailable`.
    """
    org_id = signer.org_id
    if org_id is None and E164.fullmatch(number):
        org_id = await edge.desk.numbers.get(number)
    if org_id is not None:  # at its own address too: while its account was not known, the process's let it in
        await require_voice(connection, edge, signer, org_id)
    office = None if org_id is None else await _office(edge, org_id)
    if office is None and signer.org_id is not None:
        raise HTTPException(404)
    return office


async def _office(edge: Edge, org_id: UUID) -> Office | None:
    desk = edge.desk
    profile, keys, latency = await asyncio.gather(
        desk.profiles.get(org_id),
        open_keys(desk.credentials, desk.vault, org_id),
        desk.latency.profile(org_id),
    )
    return None if profile is None else Office(profile, keys, turbo=latency == "turbo")
