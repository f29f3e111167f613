"""What is said in a call, on its way to where it is kept: each value in its row, sealed under the call's key.

Medical facts become clinical notes, an address the contact's once it is known whose call it is (until then it
lies in the vault), anything else lies in the vault. The connection handed in has its org's claim armed and is
in a transaction; what it raises comes through as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from compliance.errors import VaultError
from compliance.keys import Keyring, PersonKey, WrappedKey
from compliance.redaction.text.entities import EntityType
from compliance.vault import Cell

NOTES: Final = "clinical_notes"
VAULT: Final = "pii_vault"
MEDICAL: Final = "medical"
LONGEST_BYTES: Final = 16_000  # what the vault's column takes, sealed


@dataclass(frozen=True, slots=True)
class SpokenValue:
    """One personal value of a call. `id` is its row's, chosen here, so that keeping it again doubles nothing.

    `turn`: None outside turns. Personal: never shown by `repr`.
    """

    type: EntityType
    value: str = field(repr=False)
    turn: int | None = None
    id: UUID = field(default_factory=uuid4)

    @property
    def kind(self) -> str:
        """As the row calls it."""
        return self.type.lower()

    @property
    def cell(self) -> Cell:
        return Cell(NOTES if self.kind == MEDICAL else VAULT, "sealed", str(self.id))


@dataclass(frozen=True, slots=True)
class CallEnds:
    """Who called whom, E.164; None for a number that was withheld. Personal: never shown by `repr`."""

    caller: str | None = field(repr=False)
    called: str | None = field(repr=False)


async def call_key(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, call_id: UUID
) -> PersonKey | None:
    """The call's key, made if it has none; None if the caller was erased. Raises `VaultError`.

    The call must be on record.
    """
    new = await keys.new_key(org_id)
    row = await connection.fetchrow(
        "select * from app.call_key($1, $2, $3, $4)", org_id, call_id, new.id, new.wrapped
    )
    return None if row is None else await keys.unlocked(org_id, WrappedKey(row["key_id"], row["wrapped"]))


async def keep_values(
    connection: asyncpg.Connection, key: PersonKey, org_id: UUID, call_id: UUID, values: Sequence[SpokenValue]
) -> bool:
    """Keep them under the call's key. False if it was destroyed: the caller was erased, nothing is kept."""
    kept: int = await connection.fetchval(
        "select app.keep_values($1, $2, $3, $4, $5, $6, $7)",
        org_id,
        call_id,
        key.id,
        [value.id for value in values],
        [value.turn for value in values],
        [value.kind for value in values],
        [key.seal(_bytes(value.value), value.cell) for value in values],
    )
    return kept == len(values)


async def keep_ends(
    connection: asyncpg.Connection,
    keys: Keyring,
    key: PersonKey,
    org_id: UUID,
    call_id: UUID,
    ends: CallEnds,
) -> bool:
    """Keep who called whom. False as above."""

    def sealed(column: str, number: str | None) -> bytes | None:
        cell = Cell("calls", f"sealed_{column}", str(call_id))
        return key.seal(number.encode(), cell) if number else None

    kept: bool = await connection.fetchval(
        "select app.keep_call_ends($1, $2, $3, $4, $5, $6)",
        org_id,
        call_id,
        key.id,
        keys.digests(org_id, ends.caller)[0] if ends.caller else None,
        sealed("caller", ends.caller),
        sealed("called", ends.called),
    )
    return kept


async def settle_call(connection: asyncpg.Connection, keys: Keyring, org_id: UUID, call_id: UUID) -> None:
    """The call is over: its records are its caller's, if that is known by now. May be repeated.

    The last address said becomes the contact's. One that does not open stays where it is.
    """
    new = await keys.new_key(org_id)
    row = await connection.fetchrow(
        "select * from app.settle_call_records($1, $2, $3, $4)", org_id, call_id, new.id, new.wrapped
    )
    if row is None:
        return
    try:
        own = await keys.unlocked(org_id, WrappedKey(row["key_id"], row["wrapped"]))
        address = await _address(keys, org_id, row)
    except VaultError:
        return
    contact_id: UUID = row["contact_id"]
    await connection.fetchval(
        "select app.move_address($1, $2, $3, $4, $5)",
        org_id,
        contact_id,
        own.id,
        call_id,
        own.seal(address, Cell("contacts", "sealed_address", str(contact_id))),
    )


async def _address(keys: Keyring, org_id: UUID, row: asyncpg.Record) -> bytes:
    cell = Cell(VAULT, "sealed", str(row["address_id"]))
    key_id: UUID = row["call_key_id"]
    return await keys.open(org_id, row["sealed_address"], cell, WrappedKey(key_id, row["call_wrapped"]))


def _bytes(value: str) -> bytes:
    """As much of it as a row takes; what is longer is no entity, but a whole speech taken for one."""
    return value.encode("utf-8", "surrogatepass")[:LONGEST_BYTES]
