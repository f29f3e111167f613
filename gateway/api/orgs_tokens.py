"""A clinic's staff tokens: given out, listed, ended. Nobody gives out more than they have."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from booking.clinic_upkeep import load_clinic
from booking.staff import OrgScope, issue_token, live_tokens, revoke_token
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.problems import INVALID, SCOPE_MISSING, Refused
from gateway.api.reach import ORG_PATH
from gateway.api.views import AwareTime

_ALL, _ONE = ORG_PATH + "/tokens", ORG_PATH + "/tokens/{name}"
_LONGEST_NAME = 100


class TokenForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the token may do, and for how many days; until it is revoked if that is left out."""

    scopes: Annotated[list[OrgScope], msgspec.Meta(min_length=1, max_length=32)]
    days: Annotated[int, msgspec.Meta(ge=1, le=3660)] | None = None


class NewTokenView(msgspec.Struct, kw_only=True):
    """A new token. `token` is shown this once."""

    id: UUID
    name: str
    token: str
    expires_at: AwareTime | None

    def __repr__(self) -> str:
        return f"NewTokenView(id={self.id})"


class TokenView(msgspec.Struct, kw_only=True):
    """A token in force, or one whose end has come."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: AwareTime
    expires_at: AwareTime | None


class TokenList(msgspec.Struct, kw_only=True):
    """By name; revoked ones are left out."""

    items: list[TokenView]


async def list_tokens(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    items = [
        TokenView(
            id=each.id,
            name=each.name,
            scopes=list(each.scopes),
            created_at=each.created_at,
            expires_at=each.expires_at,
        )
        for each in await live_tokens(asked.api.pool, asked.claim)
    ]
    return Answer(200, TokenList(items=items))


async def put_token(asked: Asked) -> Answer:
    """Each request makes a new one: whoever lost an answer asks again, and what was lost is void."""
    form: TokenForm = asked.body
    name = _name(asked)
    _require_had(asked, form.scopes)
    await load_clinic(asked.api.pool, asked.claim)
    lasting = None if form.days is None else asked.api.now() + timedelta(days=form.days)
    issued = await issue_token(
        asked.api.pool, asked.claim, name=name, scopes=form.scopes, expires_at=lasting, actor=asked.actor
    )
    return Answer(200, NewTokenView(id=issued.id, name=name, token=issued.secret, expires_at=lasting))


async def delete_token(asked: Asked) -> Answer:
    """One that there is not is no fault."""
    await revoke_token(asked.api.pool, asked.claim, name=_name(asked), actor=asked.actor)
    return Answer(204)


def _require_had(asked: Asked, scopes: list[OrgScope]) -> None:
    """The platform may give out what a clinic may have; a token gives out its own scopes at most."""
    missing = set(scopes) - asked.principal.scopes
    if missing and not asked.principal.is_platform:
        raise Refused(SCOPE_MISSING, detail=min(missing))


def _name(asked: Asked) -> str:
    name = asked.path["name"]
    if not (1 <= len(name) <= _LONGEST_NAME and name.isprintable()):
        raise Refused(INVALID, pointer="name", detail=f"must be 1 to {_LONGEST_NAME} printable characters")
    return name


OPERATIONS = (
    Operation(
        name="listTokens",
        method="GET",
        path=_ALL,
        scope="org:read",
        summary="Staff tokens in force, never their values",
        handler=list_tokens,
        answers={200: TokenList},
    ),
    Operation(
        name="putToken",
        method="PUT",
        path=_ONE,
        scope="secrets:write",
        summary="A new staff token under this name; the one before of that name ends",
        handler=put_token,
        body=TokenForm,
        answers={200: NewTokenView},
    ),
    Operation(
        name="deleteToken",
        method="DELETE",
        path=_ONE,
        scope="secrets:write",
        summary="End the staff token of this name",
        handler=delete_token,
        answers={204: None},
    ),
)
