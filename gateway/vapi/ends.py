"""Both ends' numbers of a call that Vapi carries, sealed with it, as soon as they are told."""

from uuid import UUID

import asyncpg

from compliance.keys import Keyring, PersonKey
from compliance.records import CallEnds, call_key, keep_ends
from gateway.caller import Ends


async def keep_both(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, call_id: UUID, ends: Ends
) -> PersonKey | None:
    """The call's key, for what else is to be sealed; None for whoever was erased: nothing is kept of them.

    The call must be on record. Raises `VaultError`.
    """
    key = await call_key(connection, keys, org_id, call_id)
    if key is not None and (ends.caller or ends.dialled):
        told = CallEnds(ends.caller, ends.dialled or None)
        await keep_ends(connection, keys, key, org_id, call_id, told)
    return key
