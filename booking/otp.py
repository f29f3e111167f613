"""Codes that prove who holds a number, bound to a hold or to a call. The rules (expiry, attempts, resends,
single use) are the SQL functions'; the database never sees a code, only its keyed digest.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from booking import db
from booking.ports import Sealer
from booking.types import Claim, CodeCheck, CodeStored
from booking.values import require_ttl

__all__ = [
    "CodeCheck",
    "CodeStored",
    "clear_call_otp",
    "clear_otp",
    "code_digests",
    "renew_receiver",
    "store_call_otp",
    "store_otp",
    "verify_call_otp",
    "verify_otp",
    "void_call_otp",
    "void_otp",
]

LONGEST_TTL: Final = timedelta(minutes=10)


def code_digests(sealer: Sealer, claim: Claim, subject_id: UUID, code: str) -> Sequence[bytes]:
    """HMAC-SHA256 of the code for this org and hold (or call), under each of the org's keys, newest first.

    Store the first; any of them may verify.
    """
    return sealer.digests(claim.org_id, "otp", claim.org_id.bytes + subject_id.bytes + code.encode())


async def renew_receiver(pool: asyncpg.Pool, claim: Claim, digests: Sequence[bytes]) -> None:
    """What is on record of a number under older keys counts for it under the newest, which is the first.

    One round trip for each older key at hand: none unless the keys are being rotated.
    """
    newest, *older = digests
    for digest in older:
        await db.fetch(pool, claim, "renew_digest", digest, newest)


async def store_otp(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    hold_id: UUID,
    digest: bytes,
    receiver_digest: bytes,
    ttl: timedelta,
) -> CodeStored:
    """Put a code in force for the hold, in place of an earlier one and of what that one verified.

    `receiver_digest` is the `phone` digest of the number it goes to: only a contact with that number can be
    booked with it. `ttl` is at most `LONGEST_TTL`. Raises `HoldUnknown`, `HoldOver`, `ValueInvalid`.
    """
    require_ttl(ttl, LONGEST_TTL)
    (row,) = await db.fetch(pool, claim, "store_otp", hold_id, digest, receiver_digest, ttl)
    return CodeStored(row["outcome"], row["expires_at"], row["codes_left"])


async def clear_otp(pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, digest: bytes) -> bool:
    """Take back a code that surely never went out: it counts as not sent. False if another is in force."""
    (row,) = await db.fetch(pool, claim, "clear_otp", hold_id, digest)
    cleared: bool = row[0]
    return cleared


async def void_otp(pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, digest: bytes) -> bool:
    """Take back a code that may have gone out: it counts as sent. False if another is in force."""
    (row,) = await db.fetch(pool, claim, "void_otp", hold_id, digest)
    voided: bool = row[0]
    return voided


async def verify_otp(
    pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, digests: Sequence[bytes]
) -> CodeCheck:
    """Check a code by its digests, once. Wrong ones are counted for the hold, whatever code was in force.

    Raises `HoldUnknown`, `HoldOver`.
    """
    (row,) = await db.fetch(pool, claim, "verify_otp", hold_id, list(digests))
    return CodeCheck(row["outcome"], row["attempts_left"], row["hold_verified"])


async def store_call_otp(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    digest: bytes,
    receiver_digest: bytes,
    ttl: timedelta,
) -> CodeStored:
    """As `store_otp`, for whoever calls. Raises `CallUnknown`, `CallOver`, `ValueInvalid`."""
    require_ttl(ttl, LONGEST_TTL)
    (row,) = await db.fetch(pool, claim, "store_call_otp", call_id, digest, receiver_digest, ttl)
    return CodeStored(row["outcome"], row["expires_at"], row["codes_left"])


async def clear_call_otp(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, digest: bytes) -> bool:
    """As `clear_otp`."""
    (row,) = await db.fetch(pool, claim, "clear_call_otp", call_id, digest)
    cleared: bool = row[0]
    return cleared


async def void_call_otp(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, digest: bytes) -> bool:
    """As `void_otp`."""
    (row,) = await db.fetch(pool, claim, "void_call_otp", call_id, digest)
    voided: bool = row[0]
    return voided


async def verify_call_otp(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, digests: Sequence[bytes]
) -> CodeCheck:
    """As `verify_otp`. Raises `CallUnknown`, `CallOver`."""
    (row,) = await db.fetch(pool, claim, "verify_call_otp", call_id, list(digests))
    return CodeCheck(row["outcome"], row["attempts_left"], row["call_verified"])
