"""Dates of birth told in parts, from today, by the year alone, or split by a recogniser."""

import pytest

from compliance.redaction import redact


def said(*turns: str) -> list[str]:
    text = "\n".join(f"{('Agent', 'Caller')[place % 2]}: {turn}" for place, turn in enumerate(turns))
    return [line.partition(": ")[2].replace("[REDACTED: ", "[") for line in redact(text).splitlines()]


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("his date of birth is the second of november last year", "his date of birth is [DOB]"),
        ("she was born on the thirtieth of last month", "she was born on [DOB]"),
        ("he was born on the fifth of may, this year", "he was born on [DOB]"),
        ("that's Imogen Farrow, three four eighty five", "that's [PERSON], [DOB]"),
        ("can we do the eighth of january this year", "can we do the eighth of january this year"),
        ("the thirtieth of this month at two please", "the thirtieth of this month at two please"),
    ],
)
def test_a_date_of_birth_is_told_from_today_or_in_figures(text: str, public: str) -> None:
    assert redact(text).replace("[REDACTED: ", "[") == public


@pytest.mark.parametrize(
    ("question", "year"),
    [
        ("I need the year you were born", "seventy nine"),
        ("What year were you born?", "'54"),
        ("And your year of birth?", "oh six"),
        ("Just the year she was born?", "nineteen sixty"),
    ],
)
def test_the_year_asked_for_is_masked(question: str, year: str) -> None:
    assert said(question, year)[1].endswith("[DOB]")


@pytest.mark.parametrize("question", ["and what year?", "Which year was that?", "and the year?"])
def test_the_year_that_was_left_out_is_masked(question: str) -> None:
    assert said("What's your birthday?", "the ninth of may", question, "eighty one")[3] == "[DOB]"


def test_another_year_is_no_date_of_birth() -> None:
    turns = said(
        "What's your birthday?",
        "the ninth of may 1981",
        "and what year did you move to this practice, do you remember?",
        "nineteen ninety five",
    )
    assert turns[3] == "nineteen ninety five"


@pytest.mark.parametrize(
    "date",
    [
        "june six twenty four teen",
        "The 9th of Octobers, 1999",
        "the two of mays nineteen thirty six",
        "the fifth of a pril twenty eleven",
        "thir teenth of sep tember 1977",
        "the eleven of june two thousand and six teen",
    ],
)
def test_a_date_split_by_a_recogniser_is_masked_whole(date: str) -> None:
    assert said("What's the date of birth?", date)[1] == "[DOB]"


@pytest.mark.parametrize(
    ("told", "public"),
    [
        ("I've got 12 October 1967", "I've got [DOB]"),
        ("I have the eleventh of September two thousand and nine", "I have [DOB]"),
        ("you've been with us since 12 March 1998", "you've been with us since 12 March 1998"),
        ("your last visit was 12 October 2019", "your last visit was 12 October 2019"),
        ("I have the eleventh of September 2031 at ten", "I have the eleventh of September 2031 at ten"),
    ],
)
def test_a_date_long_ago_that_the_agent_reads_out_is_one_of_birth(told: str, public: str) -> None:
    assert said("What's the surname?", "Beecham", told)[2] == public


@pytest.mark.parametrize(
    ("reply", "public"),
    [
        ("sixteenth", "[DOB]"),
        ("no, the 16th, sorry", "no, [DOB], sorry"),
        ("yes, on Friday", "yes, on Friday"),
    ],
)
def test_a_part_of_a_date_read_back_is_put_right(reply: str, public: str) -> None:
    turns = ("Date of birth?", "15 06 90", "June 15th 1990?", reply)
    assert said(*turns)[3] == public


def test_the_same_is_asked_of_somebody_else() -> None:
    turns = ("Date of birth?", "4 May 1960", "And your husband's?", "the fourth of June sixty two")
    assert said(*turns)[3] == "[DOB]"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my son's, he's 30 01 2015", "my son's, he's [DOB]"),
        (
            "it's Sam Price seven saltmarsh lane second of the second thirty six",
            "it's [PERSON] [ADDRESS] [DOB]",
        ),
        ("Sam Price, twenty sixth of the ninth ninety seven", "[PERSON], [DOB]"),
        ("my birthday is the fourth of July and the year is seventy six", "[DOB] and the year is [DOB]"),
        ("the price was one hundred and twelve fifty", "the price was one hundred and twelve fifty"),
    ],
)
def test_a_date_of_birth_is_told_of_whoever_is_named(text: str, public: str) -> None:
    assert redact(text).replace("[REDACTED: ", "[").replace("my birthday is ", "") == public


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("so i've got the second of march nineteen seventy nine", "so i've got [DOB]"),
        ("no it's the eighth of the tenth sixty two", "no it's [DOB]"),
        ("my son's the fifth of December twenty-nineteen", "my son's [DOB]"),
        ("we got married on the fourth of July 1976", "we got married on the fourth of July 1976"),
        ("we moved house, the fourth of July 1976", "we moved house, the fourth of July 1976"),
        ("see you the ninth of june nine forty", "see you the ninth of june nine forty"),
    ],
)
def test_a_whole_date_long_ago_is_one_of_birth_unless_something_happened(text: str, public: str) -> None:
    assert redact(text).replace("[REDACTED: ", "[") == public


def test_no_date_of_birth_where_it_was_asked_when_something_was() -> None:
    turns = ("And when did you last see a dentist?", "January the fourth, nineteen ninety-nine")
    assert said(*turns)[1] == turns[1]


def test_day_and_month_are_known_when_they_are_said_again() -> None:
    turns = said("Your birthday?", "12/6/51", "The twelfth of June, and Friday the thirteenth of June?")
    assert turns[2] == "[DOB], and Friday the thirteenth of June?"


def test_without_labels_a_day_puts_right_what_was_read_out() -> None:
    text = "ok so i've got the second of march nineteen seventy nine\nno its the third"
    assert redact(text).replace("[REDACTED: ", "[") == "ok so i've got [DOB]\nno its [DOB]"


@pytest.mark.parametrize(
    ("answer", "public"),
    [
        ("tenth of may, same as my dad", "[DOB], same as my dad"),
        ("I was born in '55", "I was born in '[DOB]"),
    ],
)
def test_what_goes_on_behind_a_date_of_birth_stays(answer: str, public: str) -> None:
    assert said("And your birthday?", answer)[1].replace("'[", "[") == public.replace("'[", "[")


@pytest.mark.parametrize(
    "text",
    [
        "The plaque says the third of May 1911.",
        "I have it here, the eleventh of April 2018, from Doctor Rao.",
        "They took it out the fourth of May 1988.",
    ],
)
def test_a_date_of_what_happened_is_none_of_birth(text: str) -> None:
    assert redact(text) == text


def test_a_date_asked_of_the_last_visit_is_none_of_birth() -> None:
    assert said("And your last visit?", "The ninth of June 2009.")[1] == "The ninth of June 2009."
