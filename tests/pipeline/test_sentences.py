"""Clauses: where they end, and that the tokens' cuts change nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sentences import FIRST_LONGEST_CHARS, LONGEST_CHARS, ClauseSplitter


def split(*pieces: str) -> list[str]:
    splitter = ClauseSplitter()
    clauses = [clause for piece in pieces for clause in splitter.feed(piece)]
    return clauses + splitter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Certainly, which day would suit you?", ["Certainly, ", "which day would suit you?"]),
        ("Dr. Patel is free. Shall I hold it?", ["Dr. Patel is free. ", "Shall I hold it?"]),
        ("See Prof. Dr. A. Khan at St. Mary's.", ["See Prof. Dr. A. Khan at St. Mary's."]),
        ("At 10 a.m. on Tuesday. Good?", ["At 10 a.m. on Tuesday. ", "Good?"]),
        ("At 10 a.m. Tuesday it is free.", ["At 10 a.m. Tuesday it is free."]),
        ("We close at 5 p.m. Would that do?", ["We close at 5 p.m. ", "Would that do?"]),
        ("It is 10:30 now.", ["It is 10:30 now."]),
        ("It costs £1,250.50 in all. Right?", ["It costs £1,250.50 in all. ", "Right?"]),
        ("That is 3.5 ml, e.g. for lips.", ["That is 3.5 ml, ", "e.g. for lips."]),
        ("I said 0 7 7 0 0, 9 0 0, 1 2 3.", ["I said 0 7 7 0 0, 9 0 0, 1 2 3."]),
        ("No. 5 is right. No. It is not.", ["No. 5 is right. ", "No. ", "It is not."]),
        ("Well... let me see. Wait... What?", ["Well... ", "let me see. ", "Wait... ", "What?"]),
        ("It is on Tuesday at... nine then.", ["It is on Tuesday at... ", "nine then."]),
        ("1. Botox\n2. Filler\nWhich?", ["1. Botox\n", "2. Filler\n", "Which?"]),
        ('He said "Yes." Then he left.', ['He said "Yes." ', "Then he left."]),
        ("Really?! Yes!", ["Really?! ", "Yes!"]),
        ("The Nov. 24 slot. Fine.", ["The Nov. 24 slot. ", "Fine."]),
        ("Is it the 24th of Nov. It is.", ["Is it the 24th of Nov. ", "It is."]),
        ("", []),
        ("   ", ["   "]),
        ("OK", ["OK"]),
    ],
)
def test_where_a_clause_ends(text: str, clauses: list[str]) -> None:
    assert split(text) == clauses


def test_the_first_clause_is_out_as_soon_as_it_is_one() -> None:
    splitter = ClauseSplitter()
    assert splitter.feed("Certain") == []
    assert splitter.feed("ly,") == []
    assert splitter.feed(" which") == ["Certainly, "]


def test_later_clauses_are_whole_sentences() -> None:
    assert split("Yes, of course, on Tuesday, if you like. ")[1:] == ["of course, on Tuesday, if you like. "]


def test_a_first_clause_without_punctuation_is_cut_at_a_gap_but_not_inside_a_number() -> None:
    text = "You can reach us at any time of the working day on the number 020 7946 0018 or at the desk"
    first = split(text)[0]
    assert len(first) <= FIRST_LONGEST_CHARS
    assert first == "You can reach us at any time of the working day on the number "


def test_a_word_without_end_is_still_spoken() -> None:
    assert max(map(len, split("x" * 1000))) <= LONGEST_CHARS


TEXT = st.text(alphabet="ab DNo.,!?:;\n'\"1 0—…-()", max_size=400) | st.lists(
    st.sampled_from(
        ["Dr. ", "a.m. ", "No. ", "5 ", "Tuesday ", "well... ", "yes, ", "The ", "end. ", "£3.50 ", "\n"]
    )
).map("".join)


@given(TEXT, st.lists(st.integers(0, 400)))
def test_the_cuts_of_the_tokens_change_nothing(text: str, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(ends)]
    assert split(*pieces) == split(text) == split(*text)


@given(TEXT)
def test_the_clauses_are_the_text_and_none_is_too_long(text: str) -> None:
    clauses = split(text)
    assert "".join(clauses) == text
    assert all(len(clause) <= LONGEST_CHARS + 1 for clause in clauses)
    assert all(any(map(str.isalnum, clause)) for clause in clauses[:-1])
