"""Media tokens: one call, one org, a short time, and nothing but our own."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.tokens import MediaToken, admit, issue, token_key
from gateway.errors import TokenRefused

KEY = token_key(bytes(32))
ORG = UUID("11111111-2222-3333-4444-555555555555")
CALL = "CA" + "0" * 32
TOKEN = MediaToken(nonce=bytes(16), org_id=ORG, call_id=CALL, expires_at_s=1_000)
TEXT = issue(KEY, TOKEN)


def refusal(text: str, *, key: bytes = KEY, call_id: str = CALL, now_s: float = 999.0) -> str:
    with pytest.raises(TokenRefused) as refused:
        admit(key, text, call_id=call_id, now_s=now_s)
    return refused.value.reason


def test_own_token_is_admitted_until_it_expires() -> None:
    assert admit(KEY, TEXT, call_id=CALL, now_s=999.9) == TOKEN
    assert refusal(TEXT, now_s=1_000.0) == "expired"


def test_token_is_bound_to_its_call() -> None:
    assert refusal(TEXT, call_id="CA" + "1" * 32) == "foreign"


def test_token_of_another_deployment_is_forged() -> None:
    assert refusal(TEXT, key=token_key(b"\x01" * 32)) == "forged"


def test_key_is_not_the_master_key() -> None:
    assert refusal(issue(bytes(32), TOKEN)) == "forged"


def test_token_fits_a_parameter_of_the_answer_document() -> None:
    assert len("token" + TEXT) < 500


@given(st.data())
def test_a_changed_token_is_forged(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TEXT) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != TEXT[at]))
    assert refusal(TEXT[:at] + other + TEXT[at + 1 :]) == "forged"


@given(st.text())
def test_any_text_is_forged(text: str) -> None:
    assert refusal(text) == "forged"


@pytest.mark.parametrize(
    "text", ["", ".", "v1", "v1..", "v1.AA", "v2" + TEXT[2:], TEXT + "x", TEXT + ".x", "v1.\udcff.\udcff"]
)
def test_malformed_tokens_are_forged(text: str) -> None:
    assert refusal(text) == "forged"
