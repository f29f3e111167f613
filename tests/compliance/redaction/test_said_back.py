"""Pieces of values that the other side says back, and what the caller adds to them."""

import pytest

from compliance.redaction import redact


def said(*turns: str) -> list[str]:
    sides = ("Agent", "Caller") if len(turns) > 1 else ("Agent",)
    text = "\n".join(f"{sides[place % 2]}: {turn}" for place, turn in enumerate(turns))
    return [line.partition(": ")[2].replace("[REDACTED: ", "[") for line in redact(text).splitlines()]


@pytest.mark.parametrize(
    ("back", "public"),
    [
        ("so that's L S nine?", "so that's [POSTCODE]?"),
        ("did you say LS9?", "did you say [POSTCODE]?"),
        ("I can't find L nineteen, is it right?", "I can't find [POSTCODE], is it right?"),
        ("is that Ferncliffe Terrace?", "is that [ADDRESS]?"),
        ("was it Elm Grove or Elm Gardens?", "was it [ADDRESS] or [ADDRESS]?"),
        ("right, room B, on the left", "right, room B, on the left"),
        ("is that the N I one?", "is that the N I one?"),
        ("have you got slot four?", "have you got slot four?"),
    ],
)
def test_a_half_of_a_postcode_or_address_said_back_is_masked(back: str, public: str) -> None:
    assert said("What's your postcode?", "L S nine, eight T B", back)[2] == public


@pytest.mark.parametrize(
    ("question", "answer", "back", "public"),
    [
        ("What's your surname?", "Nakamura", "was that N A K?", "was that [PERSON]?"),
        ("Your email?", "priti at pm dot me", "P for Papa, M for Mike?", "[EMAIL]?"),
        ("What's your surname?", "Nakamura", "is that on the N H S?", "is that on the N H S?"),
    ],
)
def test_letters_said_back_are_masked(question: str, answer: str, back: str, public: str) -> None:
    assert said(question, answer, back)[2] == public


def test_the_number_that_belongs_to_a_street_read_back_is_masked() -> None:
    turns = said(
        "Is that Ferncliffe Terrace?", "That's it, number 58.", "And do you need us at two?", "number one"
    )
    assert turns[:2] == ["Is that [ADDRESS]?", "That's it, number [ADDRESS]."]


def test_a_half_postcode_behind_an_address_read_back_is_masked() -> None:
    turns = said("The house number?", "one six six", "166 Ferncliffe Road", "that's the one, s w nine")
    assert turns == ["The house number?", "[ADDRESS]", "[ADDRESS]", "that's the one, [POSTCODE]"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("And which town's that?", "Ormskirk"),
        ("Which village is that?", "wetwang"),
        ("Does the house have a name?", "Fairhaven"),
        ("And the flat number?", "3C"),
        ("What's the house called?", "meadowsweet"),
    ],
)
def test_a_part_of_an_address_answers_the_question_for_it(question: str, answer: str) -> None:
    assert said(question, answer)[1] == "[ADDRESS]"


def test_a_house_number_alone_takes_the_place_of_the_one_read_back() -> None:
    turns = ("What's your address?", "9 Wesley Street", "is that 9 Wesley Street?", "no, nineteen")
    assert said(*turns)[3] == "no, [ADDRESS]"


def test_figures_said_back_keep_their_type() -> None:
    number = "seven oh three nine one one four four two eight"
    assert said("What's your NHS number?", number, f"so {number}")[2] == "so [GOV_ID]"
    assert said("The last three digits of your mobile?", "six six one")[1] == "[PHONE]"
    assert said("Shall we see him on Monday at five to nine?") == [
        "Shall we see him on Monday at five to nine?"
    ]


def test_the_street_is_read_out_for_a_postcode_and_its_number_given() -> None:
    turns = ("What's your postcode?", "BT9 6AB", "that's coming up as Birch Close, what number?", "Fourteen")
    assert said(*turns)[2:] == ["that's coming up as [ADDRESS], what number?", "[ADDRESS]"]
    assert said("House number and postcode?", "twelve, s t five oh r w")[1] == "[ADDRESS], [POSTCODE]"


def test_a_postcode_is_told_in_three_pieces() -> None:
    assert said("Postcode?", "S four", "uh huh", "eight", "yes", "G N")[3::2] == ["[POSTCODE]", "[POSTCODE]"]


def test_a_street_that_the_caller_gave_is_known_when_it_is_said_again() -> None:
    turns = ("Address?", "38 fir tree rise", "Thanks.", "the chemist on fir tree rise is closer")
    assert said(*turns)[3] == "the chemist on [ADDRESS] is closer"
    turns = (
        "We're at 14 Mill Road",
        "ok",
        "Tuesday at nine?",
        "yes",
        "Anything else?",
        "so the Mill Road branch",
    )
    assert said(*turns)[5] == "so the Mill Road branch"


def test_a_number_said_back_otherwise_is_of_the_type_it_was_told_as() -> None:
    told = "Agent: Card number?\nCaller: 4022 9711 3388 1212.\nAgent: So four oh double two, nine one."
    assert redact(told).endswith("So [REDACTED: CARD].")
    told = "Agent: PPS number?\nCaller: 7 4 5 1 2 0 8 F A.\nAgent: 7451208FA?"
    assert redact(told).endswith("[REDACTED: GOV_ID]?")


def test_a_street_called_like_a_hospital_is_masked() -> None:
    assert redact("Agent: Is that Saint Mary's Road?") == "Agent: Is that [REDACTED: ADDRESS]?"
