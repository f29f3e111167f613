"""What only the talk before tells: allergens, states of an ailment, names heard, parts of numbers."""

import pytest

from compliance.redaction import redact


def public(*turns: str) -> str:
    """The public form of the last of these turns, which a stored transcript labels."""
    return redact("\n".join(turns)).rsplit("\n", 1)[-1].partition(": ")[2]


@pytest.mark.parametrize(
    ("question", "answer", "masked"),
    [
        ("Any allergies?", "only cats and dust", "only [REDACTED: MEDICAL] and [REDACTED: MEDICAL]"),
        ("Are you allergic to anything?", "plasters, a bit", "[REDACTED: MEDICAL], a bit"),
        ("Is the tooth still painful?", "it throbs at night", "it [REDACTED: MEDICAL] at night"),
        ("How is your eye now?", "it's all cloudy", "it's all [REDACTED: MEDICAL]"),
        ("And your knee?", "stiff in the mornings", "[REDACTED: MEDICAL] in the mornings"),
        ("What's the trouble?", "it's come off again", "it's [REDACTED: MEDICAL] again"),
        ("Has the wound closed?", "no it won't heal", "no it [REDACTED: MEDICAL]"),
        ("How are the embryos?", "the transfer was fine", "the [REDACTED: MEDICAL] was fine"),
    ],
)
def test_words_of_every_day_are_masked_where_the_talk_is_of_ailments(
    question: str, answer: str, masked: str
) -> None:
    assert public(f"Agent: {question}", f"Caller: {answer}") == masked


def test_what_is_said_of_a_thing_named_since_the_ailment_stays_readable() -> None:
    reply = "the website, it's stuck and it's frozen"
    assert public("Agent: What seems to be the problem?", f"Caller: {reply}") == reply


@pytest.mark.parametrize(
    "said",
    [
        "it clicks in the speakers at night",
        "it's all cloudy over the river",
        "only cats and dust in that office",
        "the screen's cracked and it's got worse",
        "the transfer from my bank is done",
        "the handle's come off the door",
    ],
)
def test_the_same_words_stay_readable_elsewhere(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("hi it's rose i've an appointment", "hi it's [REDACTED: PERSON] i've an appointment"),
        ("grace speaking", "[REDACTED: PERSON] speaking"),
        ("it's for my mum june", "it's for my mum [REDACTED: PERSON]"),
        ("Joy is my sister", "[REDACTED: PERSON] is my sister"),
        ("i'm ringing for don he's my dad", "i'm ringing for [REDACTED: PERSON] he's my dad"),
        ("it's booked under love", "it's booked under [REDACTED: PERSON]"),
        ("i'm pearl pearl hutchinson", "i'm [REDACTED: PERSON]"),
        ("I'm a patient there, Mark Young, and", "I'm a patient there, [REDACTED: PERSON], and"),
        ("Mr Hale has lost his letter", "Mr [REDACTED: PERSON] has lost his letter"),
    ],
)
def test_names_that_are_words_are_masked_where_only_people_stand(said: str, masked: str) -> None:
    assert redact(said) == masked


@pytest.mark.parametrize(
    "said",
    [
        "it's summer i know",
        "the rose bush by the door",
        "my mum may be late",
        "Mr Hale has a gap on Friday",
        "the consultant you saw was Mr Hale",
        "the clinic's called Brightside",
        "Blue Cross covers it",
        "the slots are eleven, eleven twenty and twelve forty",
        "between two hundred and two hundred and fifty",
        "quote ninety nine stroke bravo",
        "as my bill was at the bottom. So I rang",
    ],
)
def test_the_same_shapes_stay_readable_where_they_are_none(said: str) -> None:
    assert redact(said) == said


def test_a_part_of_a_number_is_known_when_it_is_read_back() -> None:
    call = (
        "Caller: it's oh eight five one one four seven two two nine",
        "Agent: was that seven double two nine",
    )
    assert public("Agent: and a number for you", *call) == "was that [REDACTED: PHONE]"


def test_short_pieces_of_a_number_are_masked_while_it_is_not_whole() -> None:
    call = ("Caller: oh seven seven double oh nine hundred", "Agent: yes", "Caller: five three")
    assert public("Agent: what's your mobile", *call) == "[REDACTED: PHONE]"


@pytest.mark.parametrize(
    "answer", ["Brother Stone", "a gnes ka", "raft or e", "oh shaughnessy", "gwen lee and prosser"]
)
def test_a_name_in_the_pieces_it_was_heard_in_is_masked_whole(answer: str) -> None:
    assert public("Agent: Your name?", f"Caller: {answer}") == "[REDACTED: PERSON]"


def test_a_long_reply_that_gives_no_name_stays_readable() -> None:
    reply = "me too, when's a good day for you to come in"
    assert public("Agent: Who am I talking to?", f"Caller: {reply}") == reply


def test_the_day_until_a_passport_is_valid_stays_readable() -> None:
    asked = "Agent: When is your passport valid until?"
    assert public(asked, "Caller: The 9th of June 2031.") == "The 9th of June 2031."


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("Lovely talking to you.", "And you, thank you, bye."),
        ("Where do you live?", "Oh, I see."),
        (
            "Shall I post it?",
            "Well, he gets through them like sweets and leaves it switched on in the tin.",
        ),
    ],
)
def test_talk_that_gives_no_value_stays_readable(question: str, reply: str) -> None:
    assert public(f"Agent: {question}", f"Caller: {reply}") == reply


def test_seldom_words_and_places_within_a_reply_are_no_names() -> None:
    reply = "so it was stucco before, and we went over to Lagos, and it jumped up and it was uncanny"
    talk = ("Agent: Who am I speaking to?", "Caller: Hi, it's Mia.", "Agent: Uh-huh.", f"Caller: {reply}")
    assert public(*talk) == reply


def test_what_is_counted_or_only_called_a_place_within_a_reply_is_no_address() -> None:
    reply = "Oh, and they come two mornings a week, it's a nice place, and that's one thing we like."
    talk = ("Agent: And your address?", "Caller: 4 Elm Road, Hull.", "Agent: Uh-huh.", f"Caller: {reply}")
    assert public(*talk) == reply
