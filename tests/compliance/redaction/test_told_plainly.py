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
    # practitioners of the diary
    "mrs doyle's fully booked until june",
    "Mr Rahman has a gap on Tuesday",
    "you're booked in with Mr Lowe at nine",
    "No, that's Mr Hughes, he's in on Mondays",
    "Ms Adeyemi's running late",
    "Miss Perez doesn't do Fridays",
    "I've got Mr Hale at half two or Miss Roche at three",
    # nobody's name
    "What's your name, pet?",
    "whats your name my lovely",
    "Can I take your name, love?",
    "And your surname, duck?",
    "Name of the policy holder?",
    "Name of the bill payer",
    "first name of the little one",
    "car reg is in the system",
    "he'll miss school",
    "hi thanks for calling Lakeview this is the front desk",
    "shall I ask her to call you at two\nTwo's fine, it's nothing that can't wait",
    "the wifi network's called guest underscore five g",
    "M for Mike?",
    "a man with a van",
    "i'd like a steak with a side",
    "Agent: Is that Miss or Mrs?\nCaller: Miss please",
    "Will March be ok?",
    "And your doctor there?\nDr Wetherall, she's retiring though",
    # no illness
    "I was discharged in March",
    "I was brought up that way",
    "the corridor's wide enough for a wheelchair",
    "the physio says so",
    "it feels hot in here",
    "he goes to the gym three times a week",
    "I got up to go to the shop",
    "it came out in the wash",
    "my head's spinning with all these forms",
    "I feel like I'm going to be late",
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
    ("it was declined, the one ending six six oh one", "it was declined, the one ending [REDACTED: CARD]"),
    ("Agent: and who's this\nCaller: pearl", "Agent: and who's this\nCaller: [REDACTED: PERSON]"),
    (
        "Agent: The name on the card, please?\nCaller: Miss J A Pemberton",
        "Agent: The name on the card, please?\nCaller: Miss [REDACTED: PERSON]",
    ),
    ("my husband's Ivor Stocking", "my husband's [REDACTED: PERSON]"),
    ("Could I speak to Miss Whitcombe?", "Could I speak to Miss [REDACTED: PERSON]?"),
    ("is that Clark or Clarke?", "is that [REDACTED: PERSON] or [REDACTED: PERSON]?"),
    ("Smith with a y", "[REDACTED: PERSON] with a y"),
    ("Is Ruby joining you?", "Is [REDACTED: PERSON] joining you?"),
    ("How's Iris doing?", "How's [REDACTED: PERSON] doing?"),
    ("Agent: your name?\nCaller: in grid larson", "Agent: your name?\nCaller: [REDACTED: PERSON]"),
    ("Agent: your name?\nCaller: Gloria F young.", "Agent: your name?\nCaller: [REDACTED: PERSON]."),
    ("He's getting up to wee five times a night", "He's [REDACTED: MEDICAL]"),
    ("he feels hot", "he [REDACTED: MEDICAL]"),
    ("his arms have come up in blotches", "his [REDACTED: MEDICAL]"),
    ("I tore my rotator cuff", "I [REDACTED: MEDICAL]"),
    ("She's got MS and ADHD", "She's got [REDACTED: MEDICAL] and [REDACTED: MEDICAL]"),
    ("everything's spinning", "[REDACTED: MEDICAL]"),
    ("I can't put weight on it", "I [REDACTED: MEDICAL]"),
    ("her hair's coming out in clumps", "her [REDACTED: MEDICAL]"),
    ("Mr Lacey at 14 Elm Road", "Mr [REDACTED: PERSON] at [REDACTED: ADDRESS]"),
    ("Mrs Doyle, she's in hospital", "Mrs [REDACTED: PERSON], she's in hospital"),
    ("Mrs Fry's next appointment", "Mrs [REDACTED: PERSON]'s next appointment"),
    ("it's the id card, 4111 1111 1111 1111", "it's the id card, [REDACTED: CARD]"),
    ("the booking is for Mr Lowe", "the booking is for Mr [REDACTED: PERSON]"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_of_nobody_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(("text", "public"), MASKED)
def test_what_is_personal_goes(text: str, public: str) -> None:
    assert redact(text) == public
