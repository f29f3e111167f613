"""POST requests that may be sent again: the first one's answer is given to each repetition.

After draft-ietf-httpapi-idempotency-key-header-07 (read 2026-11). A key belongs to an org and a subject. What
is kept: keyed digests of key and request, and the answer, sealed. An attempt that dies leaves its request
pending for a while; then a repetition does the work anew, and as the work itself is idempotent under the
request's digest (the same hold, the same booking), that is no second one.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec

from booking import db
from booking.ports import Place
from booking.types import Claim
from gateway.api.operations import ApiContext, Principal
from gateway.api.problems import KEY_MISSING, KEY_PENDING, KEY_REUSED, NO_ORG, Refused

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_CHARACTERS: Final = 255


class Rendered(msgspec.Struct, frozen=True):
    """An answer as it goes out."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_final(self) -> bool:
        """Would the same request get the same answer? Not if it failed, or was refused for who asks."""
        return self.status < 500 and self.status not in (401, 403, 408, 429)


def read_key(header: str | None) -> str:
    """The key, which may stand in quotes (a structured field's string) or bare. Raises `Refused`."""
    key = (header or "").strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= MAX_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise Refused(KEY_MISSING)
    return key


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a request. `key`: 32 bytes that each repetition shares."""

    api: ApiContext
    claim: Claim
    key: bytes = field(repr=False)
    request: bytes = field(repr=False)
    id: UUID = field(default_factory=uuid4)

    @classmethod
    def of(cls, api: ApiContext, principal: Principal, key: str, request: bytes) -> "Attempt":
        """`request`: what must be the same in each repetition, method and path included."""

        def digest(purpose: str, value: bytes) -> bytes:
            return api.sealer.digest(principal.org_id, purpose, value)

        whole_key = f"{principal.subject}\x00{key}".encode()
        return cls(api, principal.claim, digest("api_key", whole_key), digest("api_request", request))

    async def begin(self) -> Rendered | None:
        """None if the work is now this attempt's to do, else the answer it got. Raises `Refused`."""
        waits = self.api.settings.waits
        (row,) = await db.fetch(
            self.api.pool,
            self.claim,
            "begin_request",
            self.key,
            self.request,
            self.id,
            timedelta(seconds=waits.idempotency_pending_s),
            timedelta(seconds=waits.idempotency_s),
        )
        match row["outcome"]:
            case "begun":
                return None
            case "replay":
                return self._opened(row["sealed_answer"])
            case "mismatch":
                raise Refused(KEY_REUSED)
            case "no_org":
                raise Refused(NO_ORG)
        raise Refused(KEY_PENDING)

    async def end(self, answer: Rendered) -> None:
        """Keep a final answer; after any other the request may be made again at once."""
        if not answer.is_final:
            await self.abandon()
            return
        sealed = self.api.sealer.seal(self.claim.org_id, msgspec.msgpack.encode(answer), self._place)
        await db.fetch(self.api.pool, self.claim, "settle_request", self.key, self.id, sealed)

    async def abandon(self) -> None:
        """This attempt came to nothing."""
        await db.fetch(self.api.pool, self.claim, "abandon_request", self.key, self.id)

    def _opened(self, sealed: bytes) -> Rendered:
        plain = self.api.sealer.open(self.claim.org_id, sealed, self._place)
        answer = msgspec.msgpack.decode(plain, type=Rendered)
        return Rendered(answer.status, answer.headers | {REPLAYED: "true"}, answer.body)

    @property
    def _place(self) -> Place:
        return Place("idempotent_requests", "sealed_answer", self.key.hex())
