"""Names that are words too, of whoever is greeted, spoken to or spoken with; the same words as words."""

import pytest

from compliance.redaction import redact

NAMES = [
    "okay {barry} you're all booked",
    "thanks {grace} bear with me",
    "hi {june}",
    "and {heather} what's your surname",
    "lovely {joy}",
    "is that {jack}",
    "hiya it's only {rose}",
    "hi i'm {joe} my girlfriend is with you",
    "it's {bob} down at the yard",
    "i spoke to {hope} yesterday",
    "me and {faith} are both coming",
    "i look after {bill} at the weekend",
    "our {heather} has been in before",
    "his full name is {elizabeth} but {jo} is fine",
    "{kit} short for {christopher}",
    "{lily} one l in the middle",
    "{mrs england}",
]
WORDS = [
    "okay will do",
    "right mark that as paid for me",
    "thanks hope you feel better soon",
    "it's a lovely skip",
    "perfect storm really",
    "so kit and instructions come in the post",
    "our summer has been awful",
    "me and my husband are coming",
    "it's only june",
    "thank you for your patience",
]


@pytest.mark.parametrize("said", NAMES)
def test_whoever_is_spoken_to_or_with_is_masked(said: str) -> None:
    text = said.replace("{", "").replace("}", "")
    shown = redact(text).replace("[REDACTED: PERSON]", "").replace("mrs ", "")
    assert shown == "".join(part.split("}")[-1] for part in said.split("{")).replace("mrs ", "")


@pytest.mark.parametrize("said", WORDS)
def test_the_same_words_as_words_stay(said: str) -> None:
    assert redact(said) == said


def test_a_month_that_was_heard_as_a_name_is_one_where_nobody_means_the_month() -> None:
    call = "Agent: your full name please\nCaller: june sutcliffe\nAgent: thanks june\nCaller: any day in june"
    assert redact(call).splitlines()[2:] == ["Agent: thanks [REDACTED: PERSON]", "Caller: any day in june"]
