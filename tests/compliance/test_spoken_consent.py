"""What callers say of being recorded, and what only sounds like it."""

from pathlib import Path

import pytest

from compliance.spoken_consent import asks_something, is_hesitation, recording_question, recording_word

_HERE = Path(__file__).parent
_CORPUS = _HERE / "redaction" / "corpus"
_WORDS = {"yes": True, "no": False, "-": None}


def lines(name: str) -> list[str]:
    text = (_HERE / "spoken_consent" / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def unpunctuated(said: str) -> str:
    """As a recogniser without smart formatting has it."""
    return "".join(each for each in said.lower() if each.isalnum() or each in " '")


@pytest.mark.parametrize(("name", "given"), [("refused", False), ("agreed", True), ("neither", None)])
def test_each_turn_says_what_it_says(name: str, given: bool | None) -> None:
    assert [said for said in lines(name) if recording_word(said) is not given] == []


def test_a_refusal_needs_no_punctuation_and_no_turn_of_its_own() -> None:
    def around(said: str) -> str:
        return f"hi I'd like an appointment on Tuesday please {unpunctuated(said)}"

    assert [said for said in lines("refused") if recording_word(unpunctuated(said)) is not False] == []
    assert [said for said in lines("refused") if recording_word(around(said)) is not False] == []


def test_what_is_asked_is_never_agreed_to() -> None:
    assert [said for said in lines("agreed") if recording_word(said.rstrip(".") + "?")] == []


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("You can record this. No, wait, don't record it.", False),
        ("Don't record this. Oh, fine, you can record it.", True),
        ("I don't want this recorded, okay?", False),
    ],
)
def test_the_last_word_of_a_turn_counts(said: str, given: bool) -> None:
    assert recording_word(said) is given


@pytest.mark.parametrize("line", lines("answers"))
def test_a_bare_answer_means_what_was_asked(line: str) -> None:
    asked, said, given = line.split(" | ")
    assert recording_word(said, "mind" if asked == "mind" else "may") is _WORDS[given]


@pytest.mark.parametrize("said", ["no", "Yes.", "no thanks", "I'd rather not", "sure, go ahead"])
def test_a_bare_answer_means_nothing_where_nobody_asked(said: str) -> None:
    assert recording_word(said) is None


@pytest.mark.parametrize("line", lines("questions"))
def test_the_agents_question_is_known_from_others(line: str) -> None:
    before, says, asked = (each.strip() for each in line.split("|"))
    found = recording_question(says, "" if before == "-" else before)
    assert found == (None if asked == "-" else asked)


@pytest.mark.parametrize("said", ["", "Sorry?", "Pardon, what was that?", "Um.", "Hello? Hello?"])
def test_who_did_not_hear_has_not_answered(said: str) -> None:
    assert is_hesitation(said)
    assert recording_word(said, "may") is None
    assert not is_hesitation(f"{said} no")


def test_any_question_of_the_agents_is_one() -> None:
    assert asks_something('And who said "May I?"')
    assert asks_something("How can I help? ")
    assert not asks_something("May I? Thank you.")


@pytest.mark.parametrize("part", ["dev", "held"])
def test_ordinary_talk_refuses_and_agrees_to_nothing(part: str) -> None:
    """Thousands of turns of another corpus, in which nobody speaks of being recorded."""
    turns = [
        line
        for path in sorted((_CORPUS / part).rglob("*.txt"))
        for line in path.read_text("utf-8").splitlines()
    ]
    assert len(turns) > 500
    assert [turn for turn in turns if recording_word(turn) is not None] == []
