"""Plivo's signature: our own arithmetic is that of Plivo's package, and of the published vectors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plivo.utils.signature_v3 import validate_v3_signature

from bench.carrier.plivo.signing import own_signature, signature

TOKEN, NONCE = "plivo-test-token", "12345678901234567890"
ANSWER = "https://voice.example.com/carriers/plivo/answer"
FIELDS = {"CallUUID": "abc", "From": "15551230001", "To": "15551230002"}


@pytest.mark.parametrize(
    ("url", "fields", "expected"),
    [
        (
            "https://voice.example.com/carriers/plivo/stream",
            None,
            "XgZw3BuPJqx1jEc7yR5xWSpKw2qjNdPFix9qG66Zncw=",
        ),
        (ANSWER, FIELDS, "gzlhTokVqZUOQ4/MUQcJrqBXoGSa0rIaJ1ersj9fj8o="),
        (f"{ANSWER}?org=7", FIELDS, "vewCpD7V7VuAU/M4nwzFYS5vUQBTnt1cn1eE8IIpw0A="),
    ],
)
def test_vectors(url: str, fields: dict[str, str] | None, expected: str) -> None:
    assert own_signature(TOKEN, url, NONCE, fields) == expected
    assert signature(TOKEN, url, NONCE, fields) == expected


WORD = st.text("abcXYZ019", min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORD, WORD, max_size=3), st.dictionaries(WORD, WORD, max_size=4))
def test_what_we_sign_plivos_package_takes(query: dict[str, str], fields: dict[str, str]) -> None:
    url = ANSWER + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")
    signed = own_signature(TOKEN, url, NONCE, fields)
    assert signed == signature(TOKEN, url, NONCE, fields)
    assert validate_v3_signature("POST", url, NONCE, TOKEN, signed, dict(fields))
    assert not validate_v3_signature("POST", url, NONCE, TOKEN, signed, {**fields, "more": "1"})
