"""Roles of people at a clinic: each a closed set of scopes, named by one scope of its own.

A staff token has `role:clinician` among its scopes; a JWT has it in `scope`, or `clinic_role: "clinician"`.
What a sealed value may be read for depends on the role too (`compliance.reading`): scopes alone open none.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from booking.staff import OrgScope
from compliance.reading import Role

_DESK: Final = frozenset[OrgScope](
    {
        "slots:read",
        "holds:read",
        "holds:write",
        "bookings:read",
        "bookings:write",
        "org:read",
        "sealed:read",
        "consents:read",
        "consents:write",
        "calls:place",
    }
)
ROLE_SCOPES: Final[Mapping[Role, frozenset[OrgScope]]] = MappingProxyType(
    {
        "clinician": _DESK | {"contacts:export", "contacts:erase", "retention:read"},
        "staff": _DESK,
        "auditor": frozenset[OrgScope]({"audit:read", "consents:read", "retention:read", "org:read"}),
    }
)
"""In the order in which they are tried where a token has more than one. Exports hold notes: not for desks."""
_PREFIX: Final = "role:"


def role_scope(name: str) -> str | None:
    """The scope that stands for the role of this name; None if there is no such role."""
    return _PREFIX + name if name in ROLE_SCOPES else None


def roles_in(scopes: Iterable[str]) -> tuple[Role, ...]:
    """The roles that these scopes name."""
    named = frozenset(scopes)
    return tuple(role for role in ROLE_SCOPES if _PREFIX + role in named)


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """These scopes, and those of the roles among them."""
    named = frozenset(scopes)
    return named.union(*(ROLE_SCOPES[role] for role in roles_in(named)))
