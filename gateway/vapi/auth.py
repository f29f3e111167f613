"""How Vapi shows that a request is its own: by a secret, a bearer token, an OAuth2 access token, or an HMAC.

Pure: what is configured, the request as it came and the time in, yes or no out. All comparisons take the same
time whatever differs. Vapi docs, "Server authentication", and its OpenAPI document, `HMACAuthenticationPlan`
(read 2026-11). Its timestamps are in seconds or milliseconds: both count.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

import msgspec

FRESH_S: Final = 300.0
TOKEN_LIFE_S: Final = 3_600
SHARED_HEADER: Final = "X-Vapi-Secret"
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET: Final = re.compile(r"[!-~]{1,512}")
_STAMP: Final = re.compile(r"[0-9]{9,16}")
_FIRST_MS: Final = 10**11  # in seconds the year 5138
_PLACE: Final = re.compile(rb"\{(body|timestamp|method|url|svix-id)\}")
_TOKEN: Final = re.compile(r"gw1\.([0-9]{1,12})\.([0-9a-f]{64})")


class _Hidden(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """Told by its kind alone: the fields hold secrets."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class SharedSecret(_Hidden, frozen=True, tag="secret"):
    """The secret as it is, in the header `X-Vapi-Secret`."""

    secret: str


class Bearer(_Hidden, frozen=True, tag="bearer"):
    """A token in a header, behind the word Bearer or, with `prefix` off, by itself."""

    token: str
    header: str = "Authorization"
    prefix: bool = True


class OAuthClient(_Hidden, frozen=True, tag="oauth2"):
    """Vapi fetches access tokens from us with these and sends them as bearers, see `access_token`."""

    client_id: str
    client_secret: str


class Hmac(_Hidden, frozen=True, tag="hmac"):
    """A digest of the raw body and what else `payload_format` names; fields as Vapi's credential has them.

    `payload_format` "": `{timestamp}.{body}`, without a timestamp `{body}`.
    """

    secret_key: str
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    signature_header: str = "x-signature"
    timestamp_header: str = "x-timestamp"
    signature_prefix: str = ""
    include_timestamp: bool = True
    payload_format: str = ""
    message_id_header: str = "svix-id"
    signature_encoding: Literal["hex", "base64"] = "hex"
    secret_is_base64: bool = False

    @property
    def format(self) -> str:
        return self.payload_format or ("{timestamp}.{body}" if self.include_timestamp else "{body}")

    @property
    def key(self) -> bytes:
        """Raises ValueError for what is to be base64 and is not."""
        if not self.secret_is_base64:
            return self.secret_key.encode()
        try:
            return base64.b64decode(self.secret_key, validate=True)
        except binascii.Error:
            raise ValueError("secret_key is not base64") from None


VapiAuth = SharedSecret | Bearer | OAuthClient | Hmac


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came. `headers` by names of any case, `url` as Vapi was told it, `now_s` since 1970."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    now_s: float


def require_sound(auth: VapiAuth) -> VapiAuth:
    """ValueError for what would let anybody in, or nobody; it repeats no secret."""
    match auth:
        case SharedSecret():
            _require_secret(auth.secret)
        case Bearer():
            _require_secret(auth.token)
            _require_header(auth.header)
        case OAuthClient():
            _require_secret(auth.client_id)
            _require_secret(auth.client_secret)
        case Hmac():
            _require_sound_hmac(auth)
        case _:
            assert_never(auth)
    return auth


def parse_auth(text: str) -> VapiAuth:
    """From JSON such as `{"kind": "bearer", "token": …}`. ValueError, which never repeats it."""
    try:
        auth = msgspec.json.decode(text, type=VapiAuth)
    except msgspec.DecodeError:
        raise ValueError("is JSON with kind (secret, bearer, oauth2, hmac) and that kind's fields") from None
    return require_sound(auth)


def is_signed(auth: VapiAuth, request: Arrived) -> bool:
    """Whether whoever sent the request has what `auth` asks for."""
    match auth:
        case SharedSecret():
            return _same(request.headers.get(SHARED_HEADER, ""), auth.secret)
        case Bearer():
            told = request.headers.get(auth.header, "")
            return _same(_unprefixed(told) if auth.prefix else told, auth.token)
        case OAuthClient():
            return _is_access_token(auth, _bearer(request), request.now_s)
        case Hmac():
            return _is_digest(auth, request)
        case _:
            assert_never(auth)


def may_be_signed(auth: VapiAuth, request: Arrived) -> bool:
    """Whether the headers do not speak against it; only of a digest the body is yet to tell."""
    if not isinstance(auth, Hmac):
        return is_signed(auth, request)
    told = request.headers.get(auth.signature_header, "")
    is_late = auth.include_timestamp and not _is_fresh(
        request.headers.get(auth.timestamp_header, ""), request.now_s
    )
    return len(told) > len(auth.signature_prefix) and told.startswith(auth.signature_prefix) and not is_late


def is_models(auth: VapiAuth, llm_key: str, request: Arrived) -> bool:
    """The same of a request to the custom LLM, which bears the key of a credential of its own kind.

    `llm_key` "": the shared secret or token serves there too, as a bearer.
    """
    bearer = _bearer(request)
    if llm_key:
        return _same(bearer, llm_key)
    match auth:
        case SharedSecret():
            return _same(bearer, auth.secret)
        case Bearer():
            return _same(bearer, auth.token)
        case OAuthClient() | Hmac():
            return is_signed(auth, request)
        case _:
            assert_never(auth)


def is_client(auth: VapiAuth, client_id: str, client_secret: str) -> bool:
    """Whether these may have an access token."""
    if not isinstance(auth, OAuthClient):
        return False
    same_id = _same(client_id, auth.client_id)
    return _same(client_secret, auth.client_secret) and same_id


def access_token(client: OAuthClient, now_s: float) -> str:
    """For `TOKEN_LIFE_S` from now on; good at every replica, as none remembers it."""
    expires = str(int(now_s) + TOKEN_LIFE_S)
    return f"gw1.{expires}.{_token_digest(client, expires)}"


def _is_access_token(client: OAuthClient, token: str, now_s: float) -> bool:
    found = _TOKEN.fullmatch(token)
    if found is None:
        return False
    expires, digest = found.groups()
    return _same(digest, _token_digest(client, expires)) and now_s < int(expires)


def _token_digest(client: OAuthClient, expires: str) -> str:
    told = f"vapi access token\n{client.client_id}\n{expires}".encode()
    return hmac.new(client.client_secret.encode(), told, hashlib.sha256).hexdigest()


def _is_digest(auth: Hmac, request: Arrived) -> bool:
    stamp = request.headers.get(auth.timestamp_header, "")
    if auth.include_timestamp and not _is_fresh(stamp, request.now_s):
        return False
    told = request.headers.get(auth.signature_header, "")
    if not told.startswith(auth.signature_prefix):
        return False
    digest = hmac.new(auth.key, _payload(auth, request, stamp), auth.algorithm).digest()
    told = told[len(auth.signature_prefix) :]
    if auth.signature_encoding == "hex":
        return _same(told.lower(), digest.hex())
    return _same(told, base64.b64encode(digest).decode())


def _payload(auth: Hmac, request: Arrived, stamp: str) -> bytes:
    """In one pass: a place that the body names is the body's own text."""
    values = {
        b"body": request.body,
        b"timestamp": stamp.encode(),
        b"method": request.method.encode(),
        b"url": request.url.encode(),
        b"svix-id": request.headers.get(auth.message_id_header, "").encode(),
    }
    return _PLACE.sub(lambda place: values[place[1]], auth.format.encode())


def _is_fresh(stamp: str, now_s: float) -> bool:
    if not _STAMP.fullmatch(stamp):
        return False
    at = int(stamp)
    at_s = at / 1000 if at >= _FIRST_MS else float(at)
    return abs(now_s - at_s) <= FRESH_S


def _bearer(request: Arrived) -> str:
    return _unprefixed(request.headers.get("Authorization", ""))


def _unprefixed(told: str) -> str:
    """ "" unless it begins with the scheme, whose case does not count (RFC 9110 section 11.1)."""
    scheme, _, token = told.partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def _same(told: str, expected: str) -> bool:
    return hmac.compare_digest(told.encode(), expected.encode())


def _require_secret(secret: str) -> None:
    if not _SECRET.fullmatch(secret):
        raise ValueError("a secret is 1 to 512 visible ASCII characters")


def _require_header(name: str) -> None:
    if not _HEADER.fullmatch(name):
        raise ValueError("a header's name is 1 to 64 letters, digits or hyphens")


def _require_sound_hmac(auth: Hmac) -> None:
    _require_secret(auth.secret_key)
    if not auth.key:
        raise ValueError("secret_key is empty")
    for name in (auth.signature_header, auth.timestamp_header, auth.message_id_header):
        _require_header(name)
    if "{body}" not in auth.format:
        raise ValueError("payload_format has no {body}: anybody's body would do")
    if auth.include_timestamp and "{timestamp}" not in auth.format:
        raise ValueError("payload_format has no {timestamp}: an old request would do for ever")
