"""Vonage's webhooks as they come: JSON that its token vouches for. Of a GET only the time is signed."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.carriers.vonage import ID
from gateway.carriers.vonage_signature import vonage_signer
from gateway.routes.edge import Edge
from gateway.routes.forgeries import org_told, signer_of
from gateway.routes.forms import body_of, with_plus
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VonageAccount


class Told(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a webhook tells, as far as it matters here. `call_uuid`: the call, in what machine detection
    tells.
    """

    uuid: str | None = None
    call_uuid: str | None = None
    from_: str | None = None
    to: str | None = None
    status: str | None = None
    sub_state: str | None = None
    duration: str | float | None = None
    headers: dict[str, Any] | None = None


_decoder: Final = msgspec.json.Decoder(Told)


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """A webhook whose signature is good."""

    told: Told
    signer: Signer[VonageAccount]

    @property
    def dialled(self) -> str:
        return with_plus(self.told.to or "")

    @property
    def caller(self) -> str:
        return with_plus(self.told.from_ or "")

    @property
    def duration_s(self) -> float:
        """Of a leg that has ended; 0 if that is not told."""
        try:
            return float(self.told.duration or 0)
        except ValueError:
            return 0.0

    def header(self, name: str) -> str:
        """One of ours, "" if it is not there."""
        value = (self.told.headers or {}).get(name)
        return value if isinstance(value, str) else ""


async def signed_event(request: Request, edge: Edge) -> SignedEvent:
    """Of a GET no more than who signed it. Raises 403 unless the org's account did, 400, 408 or 413 for what
    is no reasonable webhook.
    """
    body = None if request.method == "GET" else await body_of(request, edge)
    told = Told() if body is None else _read(body)
    authorization = request.headers.get("authorization", "")

    def is_signed_by(account: VonageAccount) -> bool:
        signer = vonage_signer(account.signature_secret, authorization, body, now_s=time.time())
        return signer is not None and signer.application_id == account.application_id

    dialled, call_id = with_plus(told.to or ""), told.uuid or told.call_uuid or ""
    find_org = partial(org_told, request, edge, dialled, call_id)
    return SignedEvent(told, await signer_of(request, edge, edge.carriers.vonage, is_signed_by, find_org))


def call_id_of(text: str | None) -> str:
    """Raises 400 for what is none."""
    if text is None or not ID.fullmatch(text):
        raise HTTPException(400)
    return text


def _read(body: bytes) -> Told:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise HTTPException(400) from None
