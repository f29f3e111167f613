"""Both ends of a call as the carrier's verified webhook named them, on their way to the media socket.

They travel in a parameter of our own answer document, sealed for the org and the call, so that whichever
replica gets the socket knows them and nobody in between can read or change them.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from booking.values import E164
from compliance.errors import VaultError
from compliance.vault import Cell, Vault

PARAMETER: Final = "ends"
# What Twilio puts into `From` for a withheld number: the word, as it is dialled on a keypad.
_WITHHELD: Final = frozenset(
    {
        "+266696687",  # anonymous
        "+7378742833",  # restricted
        "+2562533",  # blocked
        "+8656696",  # unknown
        "+86282452253",  # unavailable
    }
)


@dataclass(frozen=True, slots=True)
class Ends:
    """In E.164. `caller` is None for a withheld number; `dialled` is the clinic's, "" if not known.

    `placed_id`: of a call that the clinic placed; then the caller is whoever was called. `came_back`: they
    were to be put through to a person, whom there was none.
    """

    caller: str | None = field(default=None, repr=False)
    dialled: str = field(default="", repr=False)
    placed_id: UUID | None = None
    came_back: bool = False

    @classmethod
    def told(cls, from_: str, to: str) -> "Ends":
        """As a webhook's fields say."""
        shown = bool(E164.fullmatch(from_)) and from_ not in _WITHHELD
        return cls(from_ if shown else None, to if E164.fullmatch(to) else "")


class _Sealed(msgspec.Struct, omit_defaults=True):
    caller: str | None
    dialled: str
    placed_id: UUID | None = None
    came_back: bool = False


def seal_ends(vault: Vault, org_id: UUID, call_id: str, ends: Ends) -> str:
    """As text for a parameter, some 200 characters."""
    plain = msgspec.json.encode(_Sealed(ends.caller, ends.dialled, ends.placed_id, ends.came_back))
    return base64.urlsafe_b64encode(vault.for_org(org_id).seal(plain, _cell(call_id))).decode()


def open_ends(vault: Vault, org_id: UUID, call_id: str, text: str) -> Ends:
    """What was sealed for this very org and call. Anything else, or nothing, tells of nobody."""
    try:
        blob = base64.b64decode(text, altchars=b"-_", validate=True)
        sealed = msgspec.json.decode(vault.for_org(org_id).open(blob, _cell(call_id)), type=_Sealed)
    except (binascii.Error, ValueError, msgspec.MsgspecError, VaultError):
        return Ends()
    return Ends(sealed.caller, sealed.dialled, sealed.placed_id, sealed.came_back)


def _cell(call_id: str) -> Cell:
    return Cell("media", PARAMETER, call_id)
