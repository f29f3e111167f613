"""Names without a marker are masked; names of places, firms, feasts and staff at work are not."""

import pytest

from compliance.redaction import Redactor, redact


def said(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("that's gwendoline ashworth on the list", "that's [PERSON] on the list"),
        ("please change it from Hargreaves to Kowalczyk", "please change it from [PERSON] to [PERSON]"),
        ("you're all set, Eugene.", "you're all set, [PERSON]."),
        ("de la vega is the surname", "[PERSON] is the surname"),
        ("Tell them Hazel rang about it.", "Tell them [PERSON] rang about it."),
        ("that was o'shaughnessy", "that was [PERSON]"),
        ("it's charlotte", "it's [PERSON]"),
    ],
)
def test_a_name_without_a_marker_is_masked(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "King Edward Medical Centre is round the corner",
        "take the victoria line to the end",
        "Mr Thornbury is running late today",
        "we are shut on Christmas Eve and Boxing Day",
        "can you check the NHS number again",
        "Saturday is when we fly to Paris.",
        "is ten o'clock any good",
        "thanks for ringing back",
        "bob's your uncle",
    ],
)
def test_what_only_sounds_like_a_name_stays(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my wrist won't bend properly", "my [MEDICAL]"),
        ("her knee gave way again", "her [MEDICAL] again"),
        ("he cracked a rib and broke two fingers", "he [MEDICAL] and [MEDICAL]"),
        ("she has lymphoedema", "she has [MEDICAL]"),
        ("is varicose vein removal dear", "is [MEDICAL] dear"),
        ("itchy patches on her neck", "[MEDICAL]"),
    ],
)
def test_complaints_in_words_of_every_day_are_masked(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my nose won't stop bleeding", "my [MEDICAL]"),
        ("my hair keeps coming out", "my [MEDICAL]"),
        ("I can't feel my left foot", "I [MEDICAL]"),
        ("a scan of my lower back please", "a [MEDICAL] please"),
        ("he has Paget's disease", "he has [MEDICAL]"),
        ("I've got Huntington's, sadly", "I've got [MEDICAL], sadly"),
        ("she's on PrEP", "she's on [MEDICAL]"),
        ("it's cystic acne", "it's [MEDICAL]"),
        ("is carpal tunnel release dear", "is [MEDICAL] dear"),
        ("low immunoglobulins again", "low [MEDICAL] again"),
    ],
)
def test_a_term_goes_with_what_makes_it_exact(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    ["it's boiling in here", "we came in the minibus", "Mrs Huntington's slot", "is there any prep to do"],
)
def test_what_only_sounds_medical_is_not_called_so(text: str) -> None:
    assert "[MEDICAL]" not in said(text)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my name is Alison Gray, not Grey", "my name is [PERSON], not [PERSON]"),
        ("it's under brooks or brookes", "it's under [PERSON] or [PERSON]"),
        (
            "the letter says Thomson and it should say Thompson",
            "the letter says [PERSON] and it should say [PERSON]",
        ),
        ("the booking is under Ms Odunsi", "the booking is under Ms [PERSON]"),
        ("it's j whitcombe", "it's [PERSON]"),
        ("it's pri, p r i", "it's [PERSON]"),
        ("this is Dr Henshaw, I'm a patient of yours", "this is Dr [PERSON], I'm a patient of yours"),
        ("my son caspian", "my son [PERSON]"),
        ("it's registered under achterberg", "it's registered under [PERSON]"),
    ],
)
def test_a_name_is_known_by_what_it_stands_beside(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "I bank with Lloyds",
        "is that Harley Street",
        "St Thomas' car park",
        "something called a dermatome",
        "Dr Henshaw has a patient with her",
        "I'm under Mr Odunsi",
        "my daughter knitted it",
        "Friday, not Monday",
    ],
)
def test_firms_things_and_staff_are_no_persons(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize(
    "answer",
    ["My wife's.", "my little boy", "a friend", "do you want the full name or just first?", "the patient"],
)
def test_an_answer_that_names_nobody_stays(answer: str) -> None:
    redactor = Redactor()
    redactor.hear_agent("Whose name is it under?")
    assert redactor.feed(answer) + redactor.flush() == answer


def test_the_spelled_health_service_is_no_person_and_still_announces_its_number() -> None:
    assert said("is it in the N H S app") == "is it in the N H S app"
    number = "nine four three four seven six five nine one nine"
    assert said(f"my n h s number is {number}") == "my n h s number is [GOV_ID]"


@pytest.mark.parametrize(
    "text", ["I've held Tuesday the 24th for you.", "We have held it.", "The sun shone."]
)
def test_verbs_that_are_rare_surnames_stay(text: str) -> None:
    assert redact(text) == text
