"""The credentials by which Vapi shows the gateway that it is Vapi, as its `POST /credential` takes them.
Pure.

Vapi docs, "Server authentication", and its OpenAPI document (read 2026-11). Webhooks, voice and transcriber
share one of the kind `custom-credential`; the LLM takes one of the kind `custom-llm`, a bearer token. What
is made here holds secrets: show it by `without_secrets` alone.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, assert_never

from gateway.errors import SecretInvalid
from gateway.vapi.auth import SHARED_HEADER, Bearer, Hmac, OAuthClient, SharedSecret, VapiAuth

SERVER_KIND: Final = "custom-credential"
MODEL_KIND: Final = "custom-llm"
HIDDEN: Final = "(secret)"
_SECRET_FIELDS: Final = frozenset({"apiKey", "token", "secretKey", "clientSecret"})


def credential_name(purpose: str, public_url: str) -> str:
    """By which one of ours is found again, in an account that other gateways may use too."""
    return f"gateway {purpose} {hashlib.blake2s(public_url.encode(), digest_size=4).hexdigest()}"


def server_credential(auth: VapiAuth, *, name: str, token_url: str) -> dict[str, Any]:
    """For webhooks, voice and transcriber. `token_url`: where Vapi gets its access tokens."""
    return {"provider": SERVER_KIND, "name": name, "authenticationPlan": _plan(auth, token_url)}


def model_credential(auth: VapiAuth, llm_key: str, *, name: str) -> dict[str, Any]:
    """For the LLM. `llm_key` "": the shared secret or token serves there too.

    Raises `SecretInvalid` where neither is there.
    """
    return {"provider": MODEL_KIND, "name": name, "apiKey": llm_key or _bearer_of(auth)}


def without_secrets(value: Any) -> Any:
    """A payload to be shown."""
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {key: HIDDEN if key in _SECRET_FIELDS else without_secrets(each) for key, each in value.items()}


def _bearer_of(auth: VapiAuth) -> str:
    match auth:
        case SharedSecret():
            return auth.secret
        case Bearer():
            return auth.token
        case OAuthClient() | Hmac():
            raise SecretInvalid(
                "Vapi calls a custom LLM with a bearer token alone: the account needs llm_key"
            )
        case _:
            assert_never(auth)


def _plan(auth: VapiAuth, token_url: str) -> dict[str, Any]:
    match auth:
        case SharedSecret():
            return _bearer(auth.secret, SHARED_HEADER, prefix=False)
        case Bearer():
            return _bearer(auth.token, auth.header, prefix=auth.prefix)
        case OAuthClient():
            client = {"clientId": auth.client_id, "clientSecret": auth.client_secret}
            return {"type": "oauth2", "url": token_url, **client}
        case Hmac():
            return _hmac(auth)
        case _:
            assert_never(auth)


def _bearer(token: str, header: str, *, prefix: bool) -> dict[str, Any]:
    return {"type": "bearer", "token": token, "headerName": header, "bearerPrefixEnabled": prefix}


def _hmac(auth: Hmac) -> dict[str, Any]:
    plan = {
        "type": "hmac",
        "secretKey": auth.secret_key,
        "algorithm": auth.algorithm,
        "signatureHeader": auth.signature_header,
        "timestampHeader": auth.timestamp_header,
        "includeTimestamp": auth.include_timestamp,
        "payloadFormat": auth.format,
        "messageIdHeader": auth.message_id_header,
        "signatureEncoding": auth.signature_encoding,
        "secretIsBase64": auth.secret_is_base64,
    }
    return plan | ({"signaturePrefix": auth.signature_prefix} if auth.signature_prefix else {})
