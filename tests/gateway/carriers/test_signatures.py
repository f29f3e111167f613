"""Twilio's signatures: published vectors, and the vendor's own validator as a second opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from gateway.carriers.signatures import twilio_signature, twilio_signed

TOKEN = "12345"
FORM_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+12349013030"),
    ("Digits", "1234"),
    ("From", "+12349013030"),
    ("To", "+18005551212"),
]


@pytest.mark.parametrize(
    ("url", "fields", "signature"),
    [
        (FORM_URL, FORM, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("wss://voice.example.com/carriers/twilio/stream", [], "VNCWpVZp3Ey7pei0LsT9Kg9Eeco="),
        ("wss://voice.example.com/carriers/twilio/stream/", [], "6ZrjIppsAiLrxKrjveqN99jm+EY="),
        ("https://voice.example.com/carriers/twilio/stream", [], "F0hvsoiINT/FZ27Q6T2+5aZvvoI="),
    ],
)
def test_published_vectors(url: str, fields: list[tuple[str, str]], signature: str) -> None:
    assert twilio_signature(TOKEN, url, fields) == signature
    assert twilio_signed(TOKEN, url, fields, signature)


@pytest.mark.parametrize(
    "forged", ["", "x", "0/KCTR6DLpKmkAf8muzZqo1nDgR=", "é", "\udce9", "0/KCTR6DLpKmkAf8muzZqo1nDgQ= "]
)
def test_anything_else_is_refused(forged: str) -> None:
    assert not twilio_signed(TOKEN, FORM_URL, FORM, forged)


def test_every_part_is_signed() -> None:
    good = twilio_signature(TOKEN, FORM_URL, FORM)
    assert not twilio_signed("12346", FORM_URL, FORM, good)
    assert not twilio_signed(TOKEN, FORM_URL + "1", FORM, good)
    assert not twilio_signed(TOKEN, FORM_URL, [*FORM, ("Extra", "")], good)
    assert not twilio_signed(TOKEN, FORM_URL, FORM[:-1], good)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXT, st.dictionaries(TEXT, TEXT, max_size=6))
def test_the_vendors_validator_agrees(token: str, fields: dict[str, str]) -> None:
    url = "https://voice.example.com/twilio/voice?attempt=1"
    signature = twilio_signature(token, url, fields.items())
    assert signature == RequestValidator(token).compute_signature(url, fields)
    assert RequestValidator(token).validate(url, fields, signature)
