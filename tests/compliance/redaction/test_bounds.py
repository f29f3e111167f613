"""However long a run is: what is held back is bounded, the cuts do not matter, and none of it gets out."""

import re
import sys

from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.redaction import Redactor, placeholder, redact

MOST_HELD = 400
PIECES = [
    *("7", "42 ", "7-", "a@", "a@b.", "@", "x", "x,", "a-", "£", "'", "-", "(", "+", "\u0663", "東京", "é"),
    *(
        "7" * 100 + " ",
        "x" * 200 + " ",
        "seventeen ",
        "double ",
        "s ",
        "john ",
        "january ",
        "14 elm ",
        "flat ",
    ),
    *(
        "rhinoplasty",
        "rhinoplasty ",
        "rhinoplasty-",
        "heart-",
        "john@example.com,",
        "john dot ",
        "um ",
        "no, ",
    ),
    *("my name is ", "call me on ", " " * 90, "\u2019s", "order number ", "Agent", ": "),
]
RUN = st.tuples(st.one_of(st.sampled_from(PIECES), st.text(max_size=9)), st.integers(1, 90)).map(
    lambda run: (run[0] * run[1])[:900]
)
LONG = st.lists(RUN, min_size=1, max_size=4).map("".join)
FEW_DIGITS = st.text("0123456789", min_size=65, max_size=1500)


class Fed:
    """Text fed piece by piece: `public`, and the most that was neither published nor masked at any moment."""

    def __init__(self, text: str, size: int) -> None:
        redactor = Redactor()
        self.public, self.most_held = "", 0
        for at in range(0, len(text), size):
            self.public += redactor.feed(text[at : at + size])
            said = len(text[at : at + size]) + at
            masked = sum(span.end - span.start - len(placeholder(span.type)) for span in redactor.spans)
            self.most_held = max(self.most_held, said - len(self.public) - masked)
        self.public += redactor.flush()
        self.spans = redactor.spans


@settings(max_examples=150, deadline=None)
@given(LONG, st.integers(1, 150))
@example("7" * 3000, 1)
@example("a@" * 1500, 7)
@example("rhinoplasty" * 270 + "rhinoplasty " * 20, 3)
@example(" " * 600 + "john" + " " * 600 + "smith", 50)
@example(("7" * 100 + " ") * 30, 40)
@example("a-" * 16 + "42 ", 1)
def test_any_run_is_bounded_whatever_the_cuts(text: str, size: int) -> None:
    fed = Fed(text, size)
    assert fed.public == redact(text)
    if "\n" not in text:
        assert fed.most_held <= MOST_HELD


@settings(max_examples=100, deadline=None)
@given(FEW_DIGITS, st.sampled_from(["", " ", "-", ", "]), st.integers(60, 400), st.integers(1, 90))
def test_no_digit_of_a_long_run_gets_out(digits: str, joint: str, every: int, size: int) -> None:
    parts = [digits[at : at + every] for at in range(0, len(digits), every)]
    text = f"well {joint.join(parts)} thanks"
    public = Fed(text, size).public
    assert public == redact(text)
    assert re.fullmatch(r"well (?:\[REDACTED: [A-Z_]+\]|[-, ])+ thanks", public)


def test_what_is_left_of_a_run_behind_the_window_is_masked_too() -> None:
    for length in range(300, 360):
        for rest in (" 123", "-12", " seven"):
            public = redact(f"well {'7' * length}{rest} thanks")
            assert re.fullmatch(r"well (?:\[REDACTED: PHONE\]|[- ])+ thanks", public)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["a,", "x-", "7,", "(", "é/", "hay,"]), st.integers(0, 500), st.integers(1, 90))
def test_an_address_anywhere_in_an_unbroken_run_is_masked_whole(filler: str, before: int, size: int) -> None:
    run = (filler * before)[:before]
    public = Fed(f"{run},john.smith@example.com,{run} thanks", size).public
    assert not re.search("john|smith|example|@", public)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["rhinoplasty", "liposuction", "warfarin"]), st.integers(8, 120), st.integers(1, 90))
def test_a_term_said_without_a_space_and_without_end_does_not_get_out(
    term: str, times: int, size: int
) -> None:
    text = f"about {term} and {term * times} and {term * times}-{term} thanks"
    fed = Fed(text, size)
    assert fed.spans
    # The last piece of a run that was cut may be a letter or two, which other words have as well.
    assert not any(span.value in fed.public for span in fed.spans if len(span.value) > 2)
    assert term not in fed.public


def test_the_cost_of_a_run_grows_with_its_length_alone() -> None:
    """By counting calls, not by a clock: a run ten times as long takes ten times as many."""
    assert 8 < _looks("7" * 100_000) / _looks("7" * 10_000) < 12
    assert 8 < _looks("a@" * 10_000) / _looks("a@" * 1_000) < 12


def _looks(text: str) -> int:
    """How many Python functions are called while the text is redacted."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        redact(text)
    finally:
        sys.setprofile(before)
    return calls
