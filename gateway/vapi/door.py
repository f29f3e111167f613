"""Who sent a request in Vapi's name: known from its headers and raw bytes, before anything in it is read.

A bare address is the process-wide account's; `…/{org}` is that org's, which signs by its own account if it
has one. What the request then says it is about is settled by `require_voice`.
"""

import time
from uuid import UUID

from starlette.requests import HTTPConnection

from gateway.routes.edge import Edge
from gateway.routes.forgeries import forged
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VapiAccount, open_keys
from gateway.vapi.auth import Arrived, Hmac, is_models, is_signed, may_be_signed

UNAUTHORISED = 401


async def vapi_caller(
    connection: HTTPConnection, edge: Edge, body: bytes, *, model: bool = False
) -> Signer[VapiAccount]:
    """Who signed. Its `org_id` is the org that the address names, None at a bare one.

    `model`: a request to the custom LLM, which bears a key of its own. A socket's upgrade has no body. Raises
    HTTPException 401.
    """
    arrived = _arrived(connection, edge, body)
    named = _named(connection)

    def is_signed_by(account: VapiAccount) -> bool:
        if model:
            return is_models(account.auth, account.llm_key, arrived)
        return is_signed(account.auth, arrived)

    async def org_told() -> UUID | None:
        return named

    signer = await edge.vapi.signer(is_signed_by, org_told)
    if signer is None:
        raise await forged(connection, edge, named, UNAUTHORISED)
    return Signer(signer.account, named)


async def require_likely(connection: HTTPConnection, edge: Edge, *, model: bool = False) -> None:
    """Raises HTTPException 401 for a request whose headers alone show that it is nobody's.

    Before its body is read: of what anybody sends us little is taken in. `model`: as in `vapi_caller`.
    """
    arrived, named = _arrived(connection, edge, b""), _named(connection)

    def is_likely(account: VapiAccount) -> bool:
        if model and (account.llm_key or not isinstance(account.auth, Hmac)):
            return is_models(account.auth, account.llm_key, arrived)
        return may_be_signed(account.auth, arrived)

    async def org_told() -> UUID | None:
        return named

    if await edge.vapi.signer(is_likely, org_told) is None:
        raise await forged(connection, edge, named, UNAUTHORISED)


async def require_voice(
    connection: HTTPConnection, edge: Edge, signer: Signer[VapiAccount], org_id: UUID
) -> None:
    """Raises HTTPException 401 unless the signer speaks for the org that the request turns out to be about.

    For an org with an account of its own the process-wide one does not. Raises `OrgUnavailable`.
    """
    own = edge.vapi.own(await open_keys(edge.desk.credentials, edge.desk.vault, org_id))
    if not signer.speaks_for(org_id) or (own is not None and own != signer.account):
        raise await forged(connection, edge, org_id, UNAUTHORISED)


def _named(connection: HTTPConnection) -> UUID | None:
    named = connection.path_params.get("org")
    return None if named is None else UUID(str(named))


def _arrived(connection: HTTPConnection, edge: Edge, body: bytes) -> Arrived:
    path, query = connection.url.path, connection.url.query
    told = path + (f"?{query}" if query else "")
    is_socket = connection.scope["type"] == "websocket"
    return Arrived(
        method="GET" if is_socket else connection.scope["method"],
        url=edge.settings.media_url(told) if is_socket else edge.settings.public(told),
        headers=connection.headers,
        body=body,
        now_s=time.time(),
    )
