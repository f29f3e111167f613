"""Calls that a clinic's own client brings by itself, over the raw audio socket instead of a carrier.

It announces a call over the API, under its token there, and is told what to send first on the socket: the
call's id, a token for one socket, who calls. The call's id begins with its org's: so nobody takes up another
org's call, whichever replica is asked.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from compliance.vault import Vault
from gateway.admission import Admission
from gateway.caller import Ends, seal_ends
from gateway.calls import Calls
from gateway.endings import Endings
from gateway.errors import AudioCallOver, AudioCallUnknown, NoRoom
from gateway.settings import Settings

CARRIER: Final = "raw"
MEDIA: Final = "/raw/media"
_RANDOM_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class AudioCall:
    """A call as its client may open it. `ends`: who calls, sealed."""

    call_id: str
    url: str
    token: str = field(repr=False)
    ends: str


@dataclass(frozen=True, slots=True)
class AudioCalls:
    """Of all orgs. A call that is announced is prepared like one that rings: providers are connected to."""

    calls: Calls
    admission: Admission
    endings: Endings
    vault: Vault
    settings: Settings

    async def announce(self, org_id: UUID, caller: str | None, call_id: str | None = None) -> AudioCall:
        """A call from `caller` (E.164; None: not known); with `call_id` an earlier one whose socket was lost.

        Raises `AudioCallUnknown` for an id that is none of the org's, `AudioCallOver`, `NoRoom`.
        """
        if call_id is None:
            call_id = f"{org_id.hex}.{secrets.token_hex(_RANDOM_BYTES)}"
        elif not call_id.startswith(f"{org_id.hex}."):
            raise AudioCallUnknown
        elif await self.endings.is_over(call_id):
            raise AudioCallOver
        self._require_room(call_id)
        ends = Ends(caller)
        self.calls.expect_again(CARRIER, call_id, org_id, ends)
        return AudioCall(
            call_id=call_id,
            url=self.settings.media_url(MEDIA),
            token=self.admission.issue(call_id, org_id),
            ends=seal_ends(self.vault, org_id, call_id, ends),
        )

    def _require_room(self, call_id: str) -> None:
        if self.calls.draining:
            raise NoRoom("draining")
        if self.calls.is_full and call_id not in self.calls:
            raise NoRoom("max_calls")
