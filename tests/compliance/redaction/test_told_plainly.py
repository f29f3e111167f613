"""What is said plainly and taken for something else: cards that are none, public lines; all invented."""

import pytest

from compliance.redaction import redact

KEPT = [
    # numbers of nobody
    "Have you called 999?",
    "I phoned 101 and they said to call you",
    "my passport expires on the 22nd of february 2031",
    "my insurance card says group 0088",
    "it's on the appointment card, room 214",
    "my library card is 55123",
    "my old phone was a 3310",
]

MASKED = [
    (
        "Agent: And the zip code on the card?\nCaller: 78704",
        "Agent: And the zip code on the card?\nCaller: [REDACTED: POSTCODE]",
    ),
    (
        "Agent: can you give me your nhs number\n"
        "Caller: hold on i've got it on a card six one two oh four four eight eight one nine",
        "Agent: can you give me your nhs number\nCaller: hold on i've got it on a card [REDACTED: GOV_ID]",
    ),
    ("my debit card is 4751 2900 1162 8304", "my debit card is [REDACTED: CARD]"),
    ("my card expires february 2031", "my card expires [REDACTED: CARD]"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_of_nobody_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(("text", "public"), MASKED)
def test_what_is_personal_goes(text: str, public: str) -> None:
    assert redact(text) == public
