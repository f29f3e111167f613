"""An org's own provider keys: sealed in Postgres and in Redis, open in the process's memory alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog

from booking.errors import BookingUnavailable
from booking.orgs import load_credentials
from booking.types import Claim
from compliance.errors import VaultError
from compliance.vault import Cell, OrgVault, Vault
from gateway.ed25519 import parse_public_key
from gateway.tenancy.cache import LayeredCache, Source
from gateway.vapi.auth import VapiAuth, require_sound
from gateway.vonage_key import parse_private_key, require_application_id

log = structlog.get_logger("gateway.credentials")

KEYS: Final = ("deepgram", "llm", "cartesia")
CARRIERS: Final = ("twilio", "plivo", "telnyx", "vonage")
PROVIDERS: Final = (*KEYS, *CARRIERS, "vapi")
_KEY: Final = re.compile(r"[!-~]{1,512}")  # it travels in a header: anything else would break the request
_TWILIO_ACCOUNT: Final = re.compile(r"AC[0-9A-Za-z]{32}")
_PLIVO_ACCOUNT: Final = re.compile(r"[MS]A[0-9A-Z]{10,30}")


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """A Twilio account and its primary auth token, which signs what comes from it and opens its REST."""

    account_sid: str
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlivoAccount:
    """A Plivo account or sub-account and its auth token, which signs and opens like Twilio's."""

    auth_id: str
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TelnyxAccount:
    """What opens Telnyx's REST, and the public key, base64, of what comes signed from there."""

    api_key: str = field(repr=False)
    public_key: str


@dataclass(frozen=True, slots=True)
class VonageAccount:
    """A Vonage application, the private key (PEM) that opens its REST, and what its account signs with."""

    application_id: str
    private_key: str = field(repr=False)
    signature_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RawClient:
    """Who brings raw audio: nobody signs for it, its token alone admits it."""


@dataclass(frozen=True, slots=True)
class VapiAccount:
    """A Vapi organisation: the private key that opens its REST, and how what comes from there is signed.

    `llm_key`: what its custom-llm credential sends as a bearer; "" where that is the same secret.
    """

    api_key: str = field(repr=False)
    auth: VapiAuth
    llm_key: str = field(default="", repr=False)
    region: Literal["us", "eu"] = "us"


@dataclass(frozen=True, slots=True)
class OrgKeys:
    """The org's own API keys and accounts at carriers and Vapi; None means the process-wide one."""

    deepgram: str | None = field(default=None, repr=False)
    llm: str | None = field(default=None, repr=False)
    cartesia: str | None = field(default=None, repr=False)
    twilio: TwilioAccount | None = None
    plivo: PlivoAccount | None = None
    telnyx: TelnyxAccount | None = None
    vonage: VonageAccount | None = None
    vapi: VapiAccount | None = None


NO_KEYS: Final = OrgKeys()
"""Of an org that has none of its own."""
_SEALED: Final = msgspec.msgpack.Decoder(dict[str, bytes])


class SealedKeys:
    """Provider -> sealed secret, as they stand in Postgres; opened when first asked for, then kept open."""

    __slots__ = ("_opened", "sealed")

    def __init__(self, sealed: Mapping[str, bytes]) -> None:
        self.sealed = sealed
        self._opened: OrgKeys | None = None

    def opened(self, vault: OrgVault, org_id: UUID) -> OrgKeys:
        """One that does not open is left out and told."""
        if self._opened is None:
            self._opened = _opened_all(vault, org_id, self.sealed)
        return self._opened


CredentialCache = LayeredCache[UUID, SealedKeys]


def parse_key(secret: str) -> str:
    """An API key as it may stand in a header. ValueError for anything else; the secret is never repeated."""
    if not _KEY.fullmatch(secret):
        raise ValueError("a key is 1 to 512 visible ASCII characters")
    return secret


def parse_twilio(secret: str) -> TwilioAccount:
    """The account in `{"account_sid": …, "auth_token": …}`. ValueError for anything else, unrepeated."""
    try:
        account = msgspec.json.decode(secret, type=TwilioAccount)
    except msgspec.DecodeError:
        raise ValueError("an account is JSON with account_sid and auth_token") from None
    if not _TWILIO_ACCOUNT.fullmatch(account.account_sid):
        raise ValueError("account_sid is AC and 32 letters or digits")
    parse_key(account.auth_token)  # an empty one would let anybody sign
    return account


def parse_plivo(secret: str) -> PlivoAccount:
    """The account in `{"auth_id": …, "auth_token": …}`. ValueError for anything else, unrepeated."""
    try:
        account = msgspec.json.decode(secret, type=PlivoAccount)
    except msgspec.DecodeError:
        raise ValueError("an account is JSON with auth_id and auth_token") from None
    if not _PLIVO_ACCOUNT.fullmatch(account.auth_id):
        raise ValueError("auth_id is MA or SA and 10 to 30 capital letters or digits")
    parse_key(account.auth_token)
    return account


def parse_telnyx(secret: str) -> TelnyxAccount:
    """The account in `{"api_key": …, "public_key": …}`. ValueError for anything else, unrepeated."""
    try:
        account = msgspec.json.decode(secret, type=TelnyxAccount)
    except msgspec.DecodeError:
        raise ValueError("an account is JSON with api_key and public_key") from None
    parse_key(account.api_key)
    parse_public_key(account.public_key)
    return account


def parse_vonage(secret: str) -> VonageAccount:
    """The application in `{"application_id": …, "private_key": …, "signature_secret": …}`. ValueError for
    anything else, unrepeated.
    """
    try:
        account = msgspec.json.decode(secret, type=VonageAccount)
    except msgspec.DecodeError:
        raise ValueError("an account is JSON with application_id, private_key and signature_secret") from None
    require_application_id(account.application_id)
    parse_private_key(account.private_key)
    parse_key(account.signature_secret)
    return account


def parse_vapi(secret: str) -> VapiAccount:
    """The account in `{"api_key": …, "auth": {"kind": …}, …}`. ValueError for anything else, unrepeated."""
    try:
        account = msgspec.json.decode(secret, type=VapiAccount)
    except msgspec.DecodeError:
        raise ValueError(
            "an account is JSON with api_key, auth (its kind one of secret, bearer, oauth2, hmac) and, where "
            "they differ from the usual, llm_key and region (us or eu)"
        ) from None
    parse_key(account.api_key)
    require_sound(account.auth)
    if account.llm_key:
        parse_key(account.llm_key)
    return account


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(KEYS, parse_key),
    "twilio": parse_twilio,
    "plivo": parse_plivo,
    "telnyx": parse_telnyx,
    "vonage": parse_vonage,
    "vapi": parse_vapi,
}


def parse_secret(provider: str, secret: str) -> Any:
    """One of `PROVIDERS`' secret as `OrgKeys` holds it. ValueError, which never repeats it."""
    return _PARSERS[provider](secret)


def credentials_cell(provider: str) -> Cell:
    """Where a provider's sealed key stands: part of its seal."""
    return Cell("org_credentials", "sealed", provider)


def shared_key(org_id: UUID) -> str:
    """Where an org's sealed credentials stand in Redis."""
    return f"gw:credentials:{org_id}"


def credentials_source(pool: asyncpg.Pool) -> Source[UUID, SealedKeys]:
    """Org -> its sealed keys. Redis gets the very blobs that Postgres holds."""

    async def load(org_id: UUID) -> SealedKeys | None:
        sealed = await load_credentials(pool, Claim(org_id))
        return SealedKeys(sealed) if sealed else None

    return Source(
        name="credentials",
        load=load,
        unavailable=BookingUnavailable,
        shared_key=shared_key,
        dump=lambda keys: msgspec.msgpack.encode(dict(keys.sealed)),
        parse=lambda raw: SealedKeys(_SEALED.decode(raw)),
    )


async def open_keys(cache: CredentialCache, vault: Vault, org_id: UUID) -> OrgKeys:
    """The org's keys, opened. One that does not open is left out and told. Raises `OrgUnavailable`."""
    keys = await cache.get(org_id)
    return NO_KEYS if keys is None else keys.opened(vault.for_org(org_id), org_id)


def _opened_all(vault: OrgVault, org_id: UUID, sealed: Mapping[str, bytes]) -> OrgKeys:
    return OrgKeys(**{each: _opened(vault, org_id, each, sealed.get(each)) for each in PROVIDERS})


def _opened(vault: OrgVault, org_id: UUID, provider: str, sealed: bytes | None) -> Any:
    """None for one that is not there or does not open."""
    if sealed is None:
        return None
    try:
        return parse_secret(provider, vault.open(sealed, credentials_cell(provider)).decode())
    except (VaultError, ValueError) as error:
        log.error("credentials_unreadable", org=str(org_id), provider=provider, error=type(error).__name__)
        return None
