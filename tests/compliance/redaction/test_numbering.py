"""Numbered placeholders: one value, one number, over both sides and all turns, wherever the text was cut."""

import re

import pytest

from bench.redaction.streaming import at_random
from compliance.redaction import CallRedactor, Redactor, placeholder, redact
from compliance.redaction.masked import masked
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.numbering import EntityNumbers
from gateway.code_redactor import CodeRedactor
from tests.compliance.redaction.test_quality import cases

_NUMBER = re.compile(r"(?<=\[REDACTED: )([A-Z_]+) \d+(?=\])")
SAME: list[tuple[EntityType, list[str]]] = [
    ("PHONE", ["07700 900123", "+44 7700 900123", "oh seven seven double oh nine hundred one two three"]),
    ("PHONE", ["(202) 555-0173", "+1 202 555 0173", "two oh two five five five oh one seven three"]),
    (
        "EMAIL",
        ["john.smith@gmail.com", "john dot smith at gmail dot com", "J O H N dot smith at gmail dot com"],
    ),
    ("POSTCODE", ["SW1A 2AA", "S W one A two double A", "sierra whiskey 1 alpha 2 AA"]),
    ("PERSON", ["Smith", "smith's", "S M I T H", "S-M-I-T-H"]),
    ("DOB", ["21 May 1980", "21/05/1980", "21st of May, 1980", "twenty first of May nineteen eighty"]),
    ("ADDRESS", ["12 High Street", "twelve High Street", "12, High Street"]),
    ("GOV_ID", ["943 476 5919", "nine four three four seven six five nine one nine"]),
    ("CARD", ["4111 1111 1111 1111", "4111-1111-1111-1111"]),
    ("MEDICAL", ["migraine", "my migraines", "Migraines"]),
]
OTHERS: list[tuple[EntityType, list[str]]] = [
    ("PHONE", ["07700 900123", "07700 900124", "020 7946 0958"]),
    ("PERSON", ["Mr Smith", "Mrs Smith", "John Smith", "Smithson"]),
    ("DOB", ["4 May 1960", "5 April 1960", "4 May 1961"]),
    ("ADDRESS", ["12 High Street", "1 High Street", "12 Hill Street"]),
    ("MEDICAL", ["type two diabetes", "type one diabetes", "diabetes"]),
]


@pytest.mark.parametrize(("entity", "values"), SAME)
def test_a_value_keeps_its_number_however_it_is_said(entity: EntityType, values: list[str]) -> None:
    numbers = EntityNumbers()
    numbers.number_of(entity, "somebody else's")
    assert {value: numbers.number_of(entity, value) for value in values} == dict.fromkeys(values, 2)


@pytest.mark.parametrize(("entity", "values"), OTHERS)
def test_other_values_have_other_numbers(entity: EntityType, values: list[str]) -> None:
    numbers = EntityNumbers()
    assert [numbers.number_of(entity, value) for value in values] == list(range(1, len(values) + 1))
    assert numbers.number_of("CARD", values[-1]) == 1


def test_both_sides_of_a_call_count_together() -> None:
    told: list[tuple[str, str, str]] = []
    call = CallRedactor(numbered=True, on_masked=lambda *value: told.append(value))
    call.agent("May I have your name?")
    assert call.caller("It's John Smith, and my wife is Mary Smith, on 07700 900123.") == (
        "It's [REDACTED: PERSON 1], and my wife is [REDACTED: PERSON 2], on [REDACTED: PHONE 1]."
    )
    said = "Thank you, John Smith. Is it oh seven seven double oh nine hundred one two three?"
    assert call.agent(said) == "Thank you, [REDACTED: PERSON 1]. Is it [REDACTED: PHONE 1]?"
    assert call.caller("Yes, or 07700 900456.") == "Yes, or [REDACTED: PHONE 2]."
    assert [entity for _, entity, _ in told] == ["PERSON", "PERSON", "PHONE", "PERSON", "PHONE", "PHONE"]
    assert told[3] == ("agent", "PERSON", "John Smith")
    assert CallRedactor(numbered=True).caller("My name is Mary Smith.") == "My name is [REDACTED: PERSON 1]."


def test_without_being_asked_for_nothing_is_numbered() -> None:
    said = "My number is 07700 900123, or 07700 900456."
    assert redact(said) == "My number is [REDACTED: PHONE], or [REDACTED: PHONE]."
    assert redact(said, numbered=True) == "My number is [REDACTED: PHONE 1], or [REDACTED: PHONE 2]."
    plain, numbered = Redactor(), Redactor(numbered=True)
    for redactor in (plain, numbered):
        redactor.feed(said)
        redactor.flush()
    assert [span.number for span in plain.spans] == [None, None]
    assert [span.number for span in numbered.spans] == [1, 2]


def test_numbers_change_nothing_else_and_do_not_depend_on_the_cuts() -> None:
    texts = [case.text for case in cases("dev")][::6]
    assert len(texts) > 100
    for seed, text in enumerate(texts):
        whole = redact(text, numbered=True)
        assert _NUMBER.sub(r"\1", whole) == redact(text)
        redactor = Redactor(numbered=True)
        pieces = at_random(seed)(text)
        assert "".join(map(redactor.feed, pieces)) + redactor.flush() == whole
        shown = [(span.type, span.number) for span in redactor.spans]
        assert [placeholder(*each) for each in shown] == re.findall(r"\[REDACTED: [A-Z_]+ \d+\]", whole)


def test_what_was_masked_is_found_behind_numbers_of_any_length() -> None:
    names = [f"Ann{letter} Marsh{letter}" for letter in "abcdefghijkl"]
    said = ", then ".join(names)
    public = ", then ".join(placeholder("PERSON", number) for number in range(1, len(names) + 1))
    assert "[REDACTED: PERSON 12]" in public
    assert masked(said, public) == [("PERSON", name) for name in names]


def test_a_number_that_tells_apart_is_not_taken_for_a_code() -> None:
    redactor = CodeRedactor(CallRedactor(numbered=True), lambda: True)
    assert redactor.caller("My name is Mary Smith, four two.") == (
        "My name is [REDACTED: PERSON 1], [REDACTED: CODE]."
    )
