"""Where the carrier reports what became of a text message: an address that names org and message, and that
only we can have made.

`/twilio/sms-status?m=<org 32 hex><message 32 hex>&k=<mac>`, the mac HMAC-SHA256 in base64url. So a report is
turned away before the database is asked for the org's account, with which its signature is then checked.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

PATH: Final = "/twilio/sms-status"
_UUID_DIGITS: Final = 32


class StatusAddress:
    """Makes the addresses of this deployment and reads them back. `public_url` has no trailing slash.

    `older`: master keys from before, whose addresses are still out.
    """

    def __init__(self, master_key: bytes, public_url: str, older: Sequence[bytes] = ()) -> None:
        self._keys = [
            hmac.digest(key, b"clinic-voice-gateway status address", hashlib.sha256)
            for key in (master_key, *older)
        ]
        self._public_url = public_url

    def url(self, org_id: UUID, message_id: UUID) -> str:
        """The public address for one message of an org."""
        named = org_id.hex + message_id.hex
        return f"{self._public_url}{PATH}?m={named}&k={_mac(self._keys[0], named)}"

    def read(self, query: Mapping[str, str]) -> tuple[UUID, UUID] | None:
        """Org and message of an address of ours, None for any other."""
        named, given = query.get("m", ""), query.get("k", "")
        told = given.encode("utf-8", "surrogateescape")
        if not any(hmac.compare_digest(_mac(key, named).encode(), told) for key in self._keys):
            return None
        return UUID(hex=named[:_UUID_DIGITS]), UUID(hex=named[_UUID_DIGITS:])


def _mac(key: bytes, named: str) -> str:
    mac = hmac.digest(key, named.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return urlsafe_b64encode(mac).rstrip(b"=").decode()
