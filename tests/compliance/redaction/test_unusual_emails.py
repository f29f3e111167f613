"""E-mail addresses with endings of no list, dictated with pauses, or given in two turns."""

import pytest

from compliance.redaction import redact


def said(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my email's tom at harrow dash joinery dot builders", "my email's [EMAIL]"),
        ("it's info at greenfield dot garden, that's the one", "it's [EMAIL], that's the one"),
        ("send it to accounts at wexford hyphen lodge dot estate", "send it to [EMAIL]"),
        ("it's jo dot marsh at kingsway dot plumbing if that helps", "it's [EMAIL] if that helps"),
        ("my email is priya at the bakehouse dot kitchen", "my email is [EMAIL]"),
    ],
)
def test_any_word_may_end_a_host(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "I stared at the red dot forever",
        "meet me at the station, by the dot matrix board",
        "he was looking at polka dot curtains",
        "I found you at top, you know, the list of surgeries",
        "be here at nine on the dot please",
    ],
)
def test_a_dot_is_not_always_of_an_address(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("it's j, dot, parker, at, gmail, dot, com", "it's [EMAIL]"),
        ("it's b, o, lowe, seven, at, hotmail, dot, co, dot, uk", "it's [EMAIL]"),
        ("try lee the second at sky dot com", "try [EMAIL]"),
        ("it's mo b, just the letter at aol dot com", "it's [EMAIL]"),
    ],
)
def test_an_address_is_dictated_with_pauses_and_asides(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    ("first", "half", "second", "rest"),
    [
        ("What's your email?", "jenny dot wu", "and after the at sign?", "sky dot com"),
        (
            "What's the first part of the email?",
            "k dot osei",
            "and the second part?",
            "blueyonder dot co dot uk",
        ),
        ("How is the email spelled before the at?", "R O N A, dot, F", "And behind the at?", "plus dot net"),
        ("Your email, please?", "marlow sixty two", "And which provider?", "at yahoo dot com"),
    ],
)
def test_each_half_is_masked(first: str, half: str, second: str, rest: str) -> None:
    public = said(f"Agent: {first}\nCaller: {half}\nAgent: {second}\nCaller: {rest}")
    assert public == f"Agent: {first}\nCaller: [EMAIL]\nAgent: {second}\nCaller: [EMAIL]"


@pytest.mark.parametrize(
    ("question", "answer", "public"),
    [
        ("Your email?", "bakers dozen at example dot com all one word", "[EMAIL] all one word"),
        ("Your mobile?", "mum's is 07700 900 947", "mum's is [PHONE]"),
        ("Your landline?", "01632 960990, they pick up till four", "[PHONE], they pick up till four"),
    ],
)
def test_what_is_said_beside_a_value_stays(question: str, answer: str, public: str) -> None:
    assert said(f"Agent: {question}\nCaller: {answer}") == f"Agent: {question}\nCaller: {public}"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("Agent: And your email?\nCaller: jill and bob at live dot com", "[EMAIL]"),
        ("Agent: And your email?\nCaller: it's love your teeth at sky", "it's [EMAIL]"),
        ("my email is the real gary webb at gmail dot com", "my email is [EMAIL]"),
        ("Agent: Is that Gmail?\nCaller: no, at example dot net", "no, [EMAIL]"),
        ("Agent: Email?\nCaller: constance, that's c o n s t a n c e, at wetherby dot org", "[EMAIL]"),
        ("it's on t.ford@nhs dot net", "it's on [EMAIL]"),
        ("Caller: lee at sky dot com\nAgent: lee at sky?", "[EMAIL]?"),
        ("it's t dot ford at n h s dot net or t dot ford at nhs net", "it's [EMAIL] or [EMAIL]"),
        ("Caller: dee underscore walsh at gmail dot com\nAgent: d underscore walsh", "[EMAIL]"),
        ("Caller: lee dot h at sky dot com\nAgent: so lee underscore h?", "so [EMAIL]?"),
    ],
)
def test_an_address_begins_where_it_was_asked_for_and_may_be_read_back_in_part(
    text: str, public: str
) -> None:
    assert said(text).split("\n")[-1].split(": ", 1)[-1] == public


@pytest.mark.parametrize(
    "text",
    [
        "Agent: Shall I email or text?\nCaller: Text",
        "so we looked at the bbc dot com site and lost it",
        "Caller: it's lee at sky dot com\nAgent: Lovely. Be here at nine on the dot.",
        "I stared at the dot matrix sign at the station",
    ],
)
def test_talk_between_a_question_and_an_at_is_kept(text: str) -> None:
    assert said(text).replace("[EMAIL]", "lee at sky dot com") == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("Composite bonding. Holly Pickering, hollyp@example.co.uk.", "[MEDICAL]. [PERSON], [EMAIL]."),
        ("I want to ask about varicose veins. r.h@example.org.", "i want to ask about [MEDICAL]. [EMAIL]."),
        ("Agent: Your email?\nCaller: The old one, sue.b61@example.com.", "the old one, [EMAIL]."),
        ("Agent: Your email?\nCaller: john smith 84@example.com", "[EMAIL]"),
        ("Agent: Your email?\nCaller: john dot smith@example.com", "[EMAIL]"),
    ],
)
def test_a_written_address_begins_where_its_words_do(text: str, public: str) -> None:
    assert said(text).rpartition("Caller: ")[2].casefold() == public.casefold()
