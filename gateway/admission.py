"""Who may open a media socket: tokens are issued here and used up here, once, across replicas.

Redis remembers used tokens for as long as they could be presented. When it is away the process's own memory
stands in, which still stops a replay against this replica.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from gateway.carriers.tokens import NONCE_BYTES, MediaToken, admit, issue, token_key
from gateway.errors import SharedStoreAway, TokenRefused
from gateway.lately import Lately
from gateway.shared_store import SharedStore


class Admission:
    """Issues and takes media tokens. `now_s` is unix time; `older`: master keys that are being replaced."""

    def __init__(
        self,
        master_key: bytes,
        store: SharedStore,
        *,
        life_s: float,
        now_s: Callable[[], float],
        older: Sequence[bytes] = (),
    ) -> None:
        self._key = token_key(master_key)
        self._older = [token_key(key) for key in older]
        self._store = store
        self._life_s = life_s
        self._now_s = now_s
        self._used: Lately[bytes] = Lately()

    def issue(self, call_id: str, org_id: UUID) -> str:
        """A token for one socket of this call."""
        expires_at_s = int(self._now_s() + self._life_s)
        return issue(self._key, MediaToken(secrets.token_bytes(NONCE_BYTES), org_id, call_id, expires_at_s))

    async def take(self, text: str, call_id: str) -> MediaToken:
        """Use the token up. Raises `TokenRefused`."""
        token = self._admitted(text, call_id)
        if self._used.holds(token.nonce, self._now_s()) or not await self._first_use(token):
            raise TokenRefused("replayed")
        return token

    def _admitted(self, text: str, call_id: str) -> MediaToken:
        """Signed under the newest key, or one that another replica may still be signing with."""
        for key in self._older:
            with suppress(TokenRefused):
                return admit(key, text, call_id=call_id, now_s=self._now_s())
        return admit(self._key, text, call_id=call_id, now_s=self._now_s())

    async def _first_use(self, token: MediaToken) -> bool:
        now_s = self._now_s()
        self._used.add(token.nonce, until_s=token.expires_at_s, now_s=now_s)
        life_s = token.expires_at_s - now_s + 1
        try:
            return await self._store.put_first(f"gw:token:{token.nonce.hex()}", life_s)
        except SharedStoreAway:
            return True
