"""How Vapi shows that a request is its own: each kind, what is not taken, and what may not be configured."""

import base64
import hashlib
import hmac
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from bench.stack.postgres import PostgresUrls
from gateway.errors import SettingsInvalid
from gateway.settings import load
from gateway.vapi.auth import (
    FRESH_S,
    TOKEN_LIFE_S,
    Arrived,
    Bearer,
    Hmac,
    OAuthClient,
    SharedSecret,
    VapiAuth,
    access_token,
    is_client,
    is_models,
    is_signed,
    may_be_signed,
    parse_auth,
)
from tests.conftest import Stack
from tests.gateway.running import environment

SECRET, BODY, NOW_S = "vapi-test-secret", b'{"message":{"type":"hang"}}', 1_700_000_000
VECTOR = "bbe85543c40cd6801ac7dd66817c8c15b82c82e5803f4ac2f668ebbbd4de9450"


def arrived(now_s: float = NOW_S, body: bytes = BODY, **headers: str) -> Arrived:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Arrived("POST", "https://gw.example.com/webhooks/vapi", Headers(named), body, now_s)


def test_the_known_vector_of_its_hmac() -> None:
    signed = arrived(x_signature=VECTOR, x_timestamp=str(NOW_S))
    assert is_signed(Hmac(SECRET), signed)
    assert is_signed(Hmac(SECRET), arrived(x_signature=VECTOR.upper(), x_timestamp=str(NOW_S)))
    assert not is_signed(Hmac(SECRET + "x"), signed)
    assert not is_signed(Hmac(SECRET), replace(signed, body=BODY + b" "))
    assert not is_signed(Hmac(SECRET), arrived(x_signature=VECTOR))
    assert may_be_signed(Hmac(SECRET), replace(signed, body=b""))
    for unlikely in (
        arrived(x_signature=VECTOR),
        arrived(x_timestamp=str(NOW_S)),
        replace(signed, now_s=0.0),
    ):
        assert not may_be_signed(Hmac(SECRET), unlikely)
    assert not may_be_signed(Hmac(SECRET, signature_prefix="v1,"), signed)


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_signature_counts_for_five_minutes(unit: int) -> None:
    stamp = str(NOW_S * unit)
    made = hmac.new(SECRET.encode(), f"{stamp}.".encode() + BODY, "sha256").hexdigest()
    for off_s, counts in ((0, True), (FRESH_S, True), (-FRESH_S, True), (FRESH_S + 1, False)):
        at = arrived(NOW_S + off_s, x_signature=made, x_timestamp=stamp)
        assert is_signed(Hmac(SECRET), at) is counts, off_s


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "1e9", "٣٣٣٣٣٣٣٣٣", "9" * 40])
def test_a_time_that_is_none_counts_for_nothing(stamp: str) -> None:
    made = hmac.new(SECRET.encode(), f"{stamp}.".encode() + BODY, "sha256").hexdigest()
    headers = Headers(raw=[(b"x-signature", made.encode()), (b"x-timestamp", stamp.encode())])
    assert not is_signed(Hmac(SECRET), replace(arrived(), headers=headers))


def test_an_hmac_as_it_may_be_configured() -> None:
    key = base64.b64encode(b"\x00raw key").decode()
    auth = Hmac(
        key,
        algorithm="sha512",
        signature_header="webhook-signature",
        timestamp_header="webhook-timestamp",
        signature_prefix="v1,",
        payload_format="{svix-id}.{timestamp}.{method}.{url}.{body}",
        message_id_header="webhook-id",
        signature_encoding="base64",
        secret_is_base64=True,
    )
    body = b'{"text": "{timestamp} stays as it is"}'
    payload = f"msg_1.{NOW_S}.POST.https://gw.example.com/webhooks/vapi.".encode() + body
    made = base64.b64encode(hmac.new(b"\x00raw key", payload, hashlib.sha512).digest()).decode()
    signed = arrived(
        body=body, webhook_signature="v1," + made, webhook_timestamp=str(NOW_S), webhook_id="msg_1"
    )
    assert is_signed(auth, signed)
    without_prefix = arrived(
        body=body, webhook_signature=made, webhook_timestamp=str(NOW_S), webhook_id="msg_1"
    )
    assert not is_signed(auth, without_prefix)


def test_an_hmac_without_a_time() -> None:
    made = hmac.new(SECRET.encode(), BODY, "sha1").hexdigest()
    auth = Hmac(SECRET, algorithm="sha1", include_timestamp=False)
    assert is_signed(auth, arrived(x_signature=made))


def test_secrets_and_tokens() -> None:
    assert is_signed(SharedSecret(SECRET), arrived(X_Vapi_Secret=SECRET))
    assert not is_signed(SharedSecret(SECRET), arrived(X_Vapi_Secret=SECRET + "x"))
    assert is_signed(Bearer(SECRET), arrived(Authorization=f"bearer {SECRET}"))
    assert not is_signed(Bearer(SECRET), arrived(Authorization=SECRET))
    imitated = Bearer(SECRET, header="X-Vapi-Secret", prefix=False)
    assert is_signed(imitated, arrived(X_Vapi_Secret=SECRET))
    for auth in (SharedSecret(SECRET), Bearer(SECRET), imitated, Hmac(SECRET), OAuthClient("id", SECRET)):
        assert not is_signed(auth, arrived())
        assert not may_be_signed(auth, arrived())
        assert SECRET not in repr(auth)


def test_an_access_token_is_ours_and_ends() -> None:
    client = OAuthClient("gateway", SECRET)
    assert is_client(client, "gateway", SECRET)
    assert not is_client(client, "gateway", "")
    assert not is_client(client, "", SECRET)
    assert not is_client(SharedSecret(SECRET), "", SECRET)
    token = access_token(client, NOW_S)
    assert SECRET not in token
    assert is_signed(client, arrived(NOW_S + TOKEN_LIFE_S - 1, Authorization=f"Bearer {token}"))
    assert not is_signed(client, arrived(NOW_S + TOKEN_LIFE_S, Authorization=f"Bearer {token}"))
    expires = token.split(".")[1]
    longer = token.replace(expires, str(int(expires) + 1))
    assert not is_signed(client, arrived(Authorization=f"Bearer {longer}"))
    assert not is_signed(OAuthClient("other", SECRET), arrived(Authorization=f"Bearer {token}"))


@pytest.mark.parametrize(
    ("auth", "llm_key", "token", "may"),
    [(SharedSecret(SECRET), "", SECRET, True), (SharedSecret(SECRET), "own", SECRET, False),
     (SharedSecret(SECRET), "own", "own", True),
     (Bearer(SECRET, "X-Vapi-Secret", prefix=False), "", SECRET, True),
     (Hmac(SECRET), "own", "own", True), (Hmac(SECRET), "", SECRET, False),
     (OAuthClient("id", SECRET), "", access_token(OAuthClient("id", SECRET), NOW_S), True)],
)  # fmt: skip
def test_a_request_to_the_model_bears_its_own_key(
    auth: VapiAuth, llm_key: str, token: str, may: bool
) -> None:
    assert is_models(auth, llm_key, arrived(Authorization=f"Bearer {token}")) is may
    assert not is_models(auth, llm_key, arrived())


@pytest.mark.parametrize(
    "told",
    ["", "[]", "secret", {}, {"kind": "none"}, {"kind": "secret"}, {"kind": "secret", "secret": ""},
     {"kind": "secret", "secret": "two words"}, {"kind": "bearer", "token": "t", "header": "X Y"},
     {"kind": "bearer", "token": "t", "prefx": False},
     {"kind": "oauth2", "client_id": "", "client_secret": "s"},
     {"kind": "hmac", "secret_key": "s3cret", "algorithm": "md5"},
     {"kind": "hmac", "secret_key": "s3cret", "payload_format": "{timestamp}"},
     {"kind": "hmac", "secret_key": "s3cret", "payload_format": "{body}"},
     {"kind": "hmac", "secret_key": "s3cret!", "secret_is_base64": True}],
)  # fmt: skip
def test_what_would_let_anybody_in_is_refused_unrepeated(told: object) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the message is looked at below
        parse_auth(told if isinstance(told, str) else json.dumps(told))
    assert "s3cret" not in str(refusal.value)


def test_the_fields_are_those_of_vapis_credential() -> None:
    told = {
        "kind": "hmac",
        "secret_key": SECRET,
        "signature_header": "x-vapi-signature",
        "algorithm": "sha512",
    }
    assert parse_auth(json.dumps(told)) == Hmac(SECRET, "sha512", "x-vapi-signature")


def faults(**changes: str) -> str:
    """What the settings find wrong."""
    nowhere = Stack(PostgresUrls(*["postgresql://h/d"] * len(fields(PostgresUrls))), "redis://h", "", Path())
    with pytest.raises(SettingsInvalid) as refusal:
        load(environment(nowhere, **changes), env_file=None)
    return str(refusal.value)


def test_the_settings_of_vapi_belong_together_and_show_no_secret() -> None:
    auth = json.dumps({"kind": "secret", "secret": SECRET})
    assert "VAPI_API_KEY and VAPI_AUTH belong together" in faults(VAPI_API_KEY="k")
    assert "VAPI_API_KEY and VAPI_AUTH belong together" in faults(VAPI_AUTH=auth)
    assert "VAPI_REGION must be us or eu" in faults(VAPI_API_KEY="k", VAPI_AUTH=auth, VAPI_REGION="moon")
    told = faults(VAPI_API_KEY="k", VAPI_AUTH=auth.replace('secret"', 'secrets"', 2))
    assert "VAPI_AUTH is JSON with kind" in told
    assert SECRET not in told
