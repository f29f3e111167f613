"""Values told piece by piece over several turns, said again by either side, put right."""

import pytest

from compliance.redaction import redact


def said(*turns: str) -> list[str]:
    text = "\n".join(f"{('Agent', 'Caller')[place % 2]}: {turn}" for place, turn in enumerate(turns))
    return [line.partition(": ")[2].replace("[REDACTED: ", "[") for line in redact(text).splitlines()]


def unlabelled(*turns: str) -> list[str]:
    return redact("\n".join(turns)).replace("[REDACTED: ", "[").splitlines()


def test_a_number_is_told_two_figures_at_a_time_and_echoed() -> None:
    turns = ("A mobile?", "O seven seven", "O seven seven", "Double oh", "Double oh.", "Nine hundred", "Yes")
    public = ["[PHONE]", "[PHONE]", "[PHONE]", "[PHONE].", "[PHONE]", "Yes", "[PHONE]"]
    assert said(*turns, "One two")[1:] == public


def test_without_labels_too() -> None:
    turns = unlabelled("your national insurance number", "j t", "j t", "four one", "and the letter", "b")
    assert turns[1:] == ["[GOV_ID]", "[GOV_ID]", "[GOV_ID]", "and the letter", "[GOV_ID]"]


def test_an_address_of_mail_is_told_in_pieces() -> None:
    turns = said("Your email?", "Mario", "Mario.", "Underscore rossi seven", "Yes.", "At libero dot it")
    assert turns[1:] == ["[EMAIL]", "[EMAIL].", "[EMAIL]", "Yes.", "[EMAIL]"]


def test_a_date_is_told_in_pieces() -> None:
    assert said("Date of birth?", "the eighth of", "mm-hm", "january")[1:] == ["[DOB]", "mm-hm", "[DOB]"]


def test_the_end_of_a_number_is_put_right() -> None:
    turns = said("Is it 07700 900456?", "Four five seven.", "Four five seven at the end. Thanks.")
    assert turns == ["Is it [PHONE]?", "[PHONE].", "[PHONE] at the end. Thanks."]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("And how many people is it for?", "Two."),
        ("Thanks. What time suits you best?", "nine fifteen"),
        ("Lovely, so which day would you like to come?", "the ninth"),
    ],
)
def test_once_a_number_is_whole_the_talk_goes_on(question: str, answer: str) -> None:
    assert said("Your number?", "07700 900123", question, answer)[3] == answer


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("It's dan underscore rowe.", "It's [EMAIL]."),
        ("P R I Y A, dot, N", "[EMAIL]"),
        ("Just to check, jo dash lamb at mail dot com?", "Just to check, [EMAIL]?"),
        ("My email's the cat lady, no spaces, at yahoo dot ie", "My email's [EMAIL]"),
        ("The email is lizzie, with two z's and i e, at frost dot family", "The email is [EMAIL]"),
        ("the wifi's called guest underscore five g", "the wifi's called guest underscore five g"),
        ("the reg is L X twelve A B C", "the reg is L X twelve A B C"),
        ("I'll give you the last four, two two one nine", "I'll give you the last four, two two one nine"),
        ("my number ends in four oh nine", "my number ends in [PHONE]"),
    ],
)
def test_what_is_told_by_pieces_that_only_values_have(text: str, public: str) -> None:
    assert unlabelled(text) == [public]


def test_of_a_number_the_last_four_are_told_without_the_word_that_counts_them() -> None:
    turns = said("Your social security number?", "only the last four, two two one nine")
    assert turns[1] == "only the last four, [GOV_ID]"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("put jamie dot lee on it", "put [EMAIL] on it"),
        ("it's on www dot nhs dot uk", "it's on www dot nhs dot uk"),
    ],
)
def test_names_with_a_dot_between_them_are_of_mail(text: str, public: str) -> None:
    assert unlabelled(text) == [public]


def test_the_number_is_of_the_card_that_was_named_just_before() -> None:
    turns = ("How will you pay?", "I've my card here", "The number please?", "five one nine eight", "mhm")
    assert said(*turns, "oh oh two one")[3:] == ["[CARD]", "mhm", "[CARD]"]


def test_the_last_digits_are_asked_for_again() -> None:
    assert said("Could you repeat just the last four?", "0174")[1] == "[PHONE]"


def test_times_that_end_with_minutes_past_the_hour_are_no_number() -> None:
    text = "I've got nine fifteen, nine forty-five, ten thirty and ten past two."
    assert unlabelled(text) == [text]


def test_an_age_before_a_date_of_birth_stays() -> None:
    assert unlabelled("she's nine, 17th of June 2017.") == ["she's nine, [DOB]."]


def test_a_figure_of_an_address_of_mail_is_put_right() -> None:
    turns = ("Is it kasia nineteen at gmail dot com?", "ninety, not nineteen")
    assert said(*turns)[1].startswith("[EMAIL]")


def test_the_end_of_a_number_is_known_by_its_place() -> None:
    assert unlabelled("no it's four six one at the end") == ["no it's [PHONE] at the end"]
