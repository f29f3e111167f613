"""Medical words by what stands around them: terms that look like names, things in a body, people."""

import pytest

from compliance.redaction import CallRedactor, redact


def public(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    "term",
    ["spina bifida", "Ehlers Danlos", "Huntington's", "Wilson's disease", "Morton's neuroma", "Tay Sachs"],
)
def test_a_term_that_looks_like_a_name_is_none_once_names_were_heard(term: str) -> None:
    call = CallRedactor()
    call.agent("Who am I speaking to?")
    call.caller("Sarah Okafor")
    assert call.caller(f"my mum has {term}, that's why") == "my mum has [REDACTED: MEDICAL], that's why"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my coil, her fits, off with stress", "my [MEDICAL], her [MEDICAL], off with [MEDICAL]"),
        ("he fits in, the bridge was shut, don't stress", "he fits in, the bridge was shut, don't stress"),
        ("a ureteral stent and haemodialysis", "a [MEDICAL] and [MEDICAL]"),
        ("the physio who rang was on the fertility team", "the physio who rang was on the fertility team"),
        ("reference b twelve forty six, my b twelve", "reference b twelve forty six, my [MEDICAL]"),
        ("hives after the strawberries, allergic to nuts", "[MEDICAL] after the strawberries, [MEDICAL]"),
    ],
)
def test_what_stands_around_a_word_tells(text: str, expected: str) -> None:
    assert public(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i have hemorroids and migren", "i have [MEDICAL] and [MEDICAL]"),
        ("he take insuline, and she has pnuemonia", "he take [MEDICAL], and she has [MEDICAL]"),
        ("i am allergic on penicillin", "i am [MEDICAL]"),
        ("i have problem with kidney", "i have [MEDICAL]"),
        ("waiting list for a hip", "waiting list for a [MEDICAL]"),
        ("they were tutting at the plaiting", "they were tutting at the plaiting"),
    ],
)
def test_as_those_say_it_who_only_heard_it(text: str, expected: str) -> None:
    assert public(text) == expected


def test_talk_of_a_thing_ends_talk_of_an_ailment() -> None:
    call = CallRedactor()
    call.agent("What seems to be the trouble?")
    call.caller("it's a rash on my arm")
    call.agent("Have you used the app before?")
    assert call.caller("yes, it's stuck") == "yes, it's stuck"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's wet macular degeneration", "it's [MEDICAL]"),
        ("a painful swelling behind my knee", "a [MEDICAL]"),
        ("his squint corrected, progesterone pessaries", "his [MEDICAL], [MEDICAL]"),
        ("a cleaning next week, the cleaning company", "a [MEDICAL] next week, the cleaning company"),
        ("help with my drinking, my drinking water", "help with my [MEDICAL], my drinking water"),
    ],
)
def test_where_a_term_ends(text: str, expected: str) -> None:
    assert public(text) == expected


def test_the_name_of_a_drug_is_nobodys() -> None:
    call = CallRedactor()
    call.agent("which illness is it")
    assert call.caller("Huntington's.") == "[REDACTED: MEDICAL]."
    call.agent("what's the name of the antidepressant you're on")
    assert call.caller("mirtazapine thirty") == "[REDACTED: MEDICAL] thirty"
