"""Numbers, dates and codes in a call: fillers, corrections, read-backs, replies that answer nothing.

All values are invented or reserved; `[PHONE]` stands for the placeholder.
"""

import pytest

from compliance.redaction import redact

PHONE = "oh seven seven double oh nine hundred one two three"
OTHER = "oh seven seven double oh nine hundred four five six"


def published(*turns: str) -> str:
    """What is public of the last turn; the agent and the caller speak in turns, the caller last."""
    sides = ("Caller", "Agent") if len(turns) % 2 else ("Agent", "Caller")
    lines = [f"{sides[place % 2]}: {said}" for place, said in enumerate(turns)]
    last = redact("\n".join(lines)).split("\n")[-1]
    return last.split(": ", 1)[1].replace("[REDACTED: ", "[")


CALLS = [
    # phones
    (("Best number?", "two oh two, um, triple five, let me see, oh one four three"), "[PHONE]"),
    (("area code four one five, five five five, oh one three two",), "area code [PHONE]"),
    ((f"the old one was {PHONE}, new one is {OTHER}",), "the old one was [PHONE], new one is [PHONE]"),
    ((f"it's {PHONE}, no wait, {OTHER}",), "it's [PHONE], no wait, [PHONE]"),
    (("Can I take your mobile?", f"Priya Nandakumar {PHONE}"), "[PERSON] [PHONE]"),
    (("And your full name please?", f"Priya Nandakumar {PHONE}"), "[PERSON] [PHONE]"),
    ((f"{PHONE} and {OTHER}",), "[PHONE] and [PHONE]"),
    (("Best number?", "07700 900123, 07700 900456"), "[PHONE], [PHONE]"),
    (("Best number?", "That's my old one. (857) 555-0112."), "That's my old one. [PHONE]."),
    (("Your mobile?", "07700 900 188, not after nine"), "[PHONE], not after nine"),
    (("Postcode?", "Ours? LA22 9HH, I think"), "Ours? [POSTCODE], I think"),
    (("Date of birth?", "Give me a second. 27th of January 2020"), "Give me a second. [DOB]"),
    # names, and what is told of them
    (("And your surname?", "winter like the season"), "[PERSON] like the season"),
    (("First and last name?", "first name ewa surname malinowska"), "first name [PERSON] surname [PERSON]"),
    (("And the name?", "it's my mother in law summer"), "it's my mother in law [PERSON]"),
    # addresses and e-mail in a sentence
    (("Your address?", "home is 14 Mill Street, Ludlow since May"), "home is [ADDRESS] since May"),
    (("Your address?", "it's Rosemary House, 4 Bell Lane"), "it's [ADDRESS]"),
    (("the house is called Lawrence Villa",), "the house is called [ADDRESS]"),
    (("And an email?", "for Callum it's reid at gmail dot com"), "for [PERSON] it's [EMAIL]"),
    (("my husband's is graham dot webb at sky dot com",), "my husband's is [EMAIL]"),
    # government numbers
    (
        ("Which card, and your NHS number?", "nine four three, four seven six, five nine one nine"),
        "[GOV_ID]",
    ),
    (("my Social is 219-09-9940, and I have to go",), "my Social is [GOV_ID], and I have to go"),
    (("Your NI number?", "q q one two, um, three four, let me see, five six c"), "[GOV_ID]"),
    # postcodes and ZIP codes
    (("What's your postcode?", "N for november R, let me see, one four, um, three A B"), "[POSTCODE]"),
    (("What's your postcode?", "o x four as in oxford two j b"), "[POSTCODE]"),
    (("we're in Tulsa Oklahoma 74103",), "we're in [ADDRESS] [POSTCODE]"),
    (
        ("B T fourteen, six double A", "So B T thirteen six double A?", "no, one four, not one three"),
        "no, [POSTCODE], not [POSTCODE]",
    ),
    # cards
    (("and when does it expire", "eleven twenty seven"), "[CARD]"),
    (("when does it expire", "March twenty nine"), "[CARD]"),
    (("when does it expire", "twelve, twenty-six"), "[CARD]"),
    (("expiry date?", "April of '28"), "[CARD]"),
    (
        ("last four of your social and date of birth?", "four four nine one, and August 2nd 1971"),
        "[GOV_ID], and [DOB]",
    ),
    (("and the three digits on the back", "nine one four"), "[CARD]"),
    # dates of birth
    (("What's your date of birth?", "the fourteenth of july", "and the year?", "sixty three"), "[DOB]"),
    (
        ("email?", "ravi dot p dot nair at gmail dot com", "spell it?", "R-A-V-I dot P dot N-A-I-R."),
        "[EMAIL].",
    ),
    (("When's your birthday?", "the second of August, and I'm fifteen"), "[DOB], and I'm fifteen"),
    (("whats your name and address", "olive bagshaw nineteen chapel street"), "[PERSON] [ADDRESS]"),
    (("what's your postcode", "l l five seven two", "and the last two letters", "d g"), "[POSTCODE]"),
    (("NI number?", "NR 20 41 88, and then a letter."), "[GOV_ID], and then a letter."),
    (("email?", "no, jon at ashdowns, with an S, dot net"), "no, [EMAIL]"),
    (("his date of birth?", "Third of August, twenty-fifteen. He's nine."), "[DOB]. He's nine."),
    (("Driver's licence?", "MORGA 753116 SM9IJ"), "[GOV_ID]"),
    (("What year were you born?", "1963", "and the day and month?", "the fourteenth of july"), "[DOB]"),
    (("Date of birth?", "14/7/1963", "So July the fourteenth, sixty three?", "no the fifteenth"), "no [DOB]"),
    (("Date of birth?", "the fourth of May two thousand and", "mm-hm", "seven"), "[DOB]"),
    (("my birth date's the fifth of June eighty one",), "my birth date's [DOB]"),
    (("D.O.B. 5 6 81",), "D.O.B. [DOB]"),
]


@pytest.mark.parametrize(("turns", "public"), CALLS)
def test_a_value_is_masked_with_its_type(turns: tuple[str, ...], public: str) -> None:
    assert published(*turns) == public


@pytest.mark.parametrize(
    ("turns", "public"),
    [
        (
            ("Date of birth?", "I'd rather not", "When would you like to come?", "the ninth of june"),
            "the ninth of june",
        ),
        (
            ("Date of birth?", "how long is it?", "Forty minutes.", "it's the ninth of june seventy two"),
            "it's [DOB]",
        ),
        (("The card number?", "how much is it?", "Two hundred pounds.", "I was told one nine five"), None),
        (("The card number?", "how much is it?", "Ninety pounds.", "4242 4242 4242 4242"), "[CARD]"),
        (("The card number?", "hold on", "Take your time.", "four two four two"), "[CARD]"),
        (
            ("Your NHS number?", "I don't know", "Do you have a member ID?", "it starts three three nine"),
            None,
        ),
        (("Your NHS number?", "let me see", "Do you have it there?", "nine four three"), "[GOV_ID]"),
        (("Date of birth?", "do you have anything on the ninth of june"), None),
    ],
)
def test_once_the_talk_has_moved_on_only_a_whole_value_answers(
    turns: tuple[str, ...], public: str | None
) -> None:
    assert published(*turns) == (public or turns[-1])


def test_a_date_that_the_agent_reads_back_is_one_of_birth() -> None:
    said = "Agent: Date of birth?\nCaller: 14/7/1963\nAgent: So that's July the fourteenth, sixty three?"
    assert redact(said).endswith("Agent: So that's [REDACTED: DOB]?")


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("it's jane pelham all one word at gmail dot com", "it's [EMAIL]"),
        ("try florence with an e underscore hobbs at aol dot com please", "try [EMAIL] please"),
        ("it's best to use jane dot smith at example dot co dot u k", "it's best to use [EMAIL]"),
        ("tom dot reed at bright smiles all one word dot c o dot u k", "[EMAIL]"),
        ("I looked at harley clinic dot co dot uk", "I looked at harley clinic dot co dot uk"),
    ],
)
def test_what_is_said_of_the_spelling_belongs_to_an_email_address(said: str, public: str) -> None:
    assert published(said) == public


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("What's your phone number?", "who wants to know"),
        ("What's your phone number?", "the old one or the new one"),
        ("What's your phone number?", "the line keeps going"),
        ("What's your date of birth?", "quite long ago"),
        ("What's your postcode?", "my sister would know"),
        ("Could I take your email?", "bye then"),
        ("Could I take your email?", "don't have one"),
        ("What's your postcode?", "I'm not sure, I'd have to look"),
        ("And your date of birth?", "too long ago to remember"),
        ("And a daytime number?", "any time before half past four"),
        ("What's your address?", "I'd have to ask my husband, we've just moved"),
        ("Who am I speaking to?", "I'm only asking about prices"),
    ],
)
def test_a_reply_that_answers_nothing_is_kept(question: str, reply: str) -> None:
    assert published(question, reply) == reply


@pytest.mark.parametrize(
    "said",
    [
        "it costs two ninety nine ninety five",
        "they quoted four thousand nine fifty all in",
        "my order, 20418873, hasn't turned up",
        "the insurer's authorization number is 4471902",
        "the voucher is valid until march twenty nine",
        "no, not two thirty, three fifteen please",
        "what year did I have my last visit, was it twenty nineteen",
    ],
)
def test_prices_and_times_are_no_numbers_of_a_person(said: str) -> None:
    assert redact(said) == said
