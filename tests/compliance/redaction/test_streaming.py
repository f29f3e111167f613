"""What is published depends on the words, not on the chunks, and no part of a masked entity gets out."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.redaction import Redactor, placeholder, redact

VOCABULARY = [
    *(
        "my number is",
        "call me on",
        "I'd like",
        "please",
        "at",
        "dot",
        "com",
        "and",
        "um",
        "the",
        "a",
        "for",
        "?",
        ".",
    ),
    *(
        "oh",
        "seven",
        "double",
        "triple",
        "nine hundred",
        "thousand",
        "forty",
        "-",
        "two",
        "07700",
        "900000",
        "+44",
    ),
    *(
        "(202)",
        "555-0173",
        "10:30",
        "2023-01-15",
        "£2,500",
        "half past ten",
        "SW1A",
        "2AA",
        "S",
        "W",
        "1",
        "x-10:30",
        "(",
        "+",
    ),
    *(
        "john",
        "smith",
        "gmail",
        "john@example.com",
        "my name is",
        "Sarah",
        "O'Brien",
        "J,",
        "o,",
        "e.",
        "Elm",
        "Road",
    ),
    *(
        "born",
        "14th",
        "of",
        "December",
        "1955",
        "card",
        "4242",
        "heart",
        "problems",
        "hay",
        "fever",
        "rhinoplasty",
    ),
    *("Agent:", "Caller:", "\n", "your name?", "date of birth?", "  ", "\t", "é", "東京", "٣٤٥"),
]
WORDS = st.lists(st.sampled_from(VOCABULARY), max_size=40).map(" ".join)
TEXT = st.one_of(WORDS, st.text(max_size=80), st.lists(st.sampled_from(VOCABULARY), max_size=25).map("".join))


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    return [text[a:b] for a, b in pairwise(places)]


@settings(max_examples=600, deadline=None)
@given(TEXT, st.lists(st.integers(0, 2000), max_size=12))
def test_chunks_do_not_matter(text: str, at: list[int]) -> None:
    redactor = Redactor()
    public = "".join(redactor.feed(chunk) for chunk in cut(text, at)) + redactor.flush()
    assert public == redact(text)


@settings(max_examples=400, deadline=None)
@given(TEXT)
@example("o, 2AA SW1A my name is")
@example("n@l me on(e.call ")
def test_character_by_character_is_the_same_too(text: str) -> None:
    redactor = Redactor()
    assert "".join(redactor.feed(char) for char in text) + redactor.flush() == redact(text)


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_all_but_the_spans_is_published_verbatim(text: str) -> None:
    redactor = Redactor()
    public = redactor.feed(text) + redactor.flush()
    rebuilt, cursor = "", 0
    for span in redactor.spans:
        assert cursor <= span.start < span.end
        assert text[span.start : span.end] == span.value
        rebuilt += text[cursor : span.start] + placeholder(span.type)
        cursor = span.end
    assert public == rebuilt + text[cursor:]


@settings(max_examples=300, deadline=None)
@given(TEXT, st.lists(st.integers(0, 2000), max_size=6))
def test_nothing_is_published_before_it_is_decided(text: str, at: list[int]) -> None:
    """At each moment the public text is a beginning of the final one, whatever comes after."""
    final = redact(text)
    redactor = Redactor()
    public = ""
    for chunk in cut(text, at):
        public += redactor.feed(chunk)
        assert final.startswith(public)


def held_back(words: list[str]) -> int:
    """The most characters that were fed and neither published nor masked yet, over all moments."""
    redactor = Redactor()
    fed = public = most = 0
    for word in words:
        fed += len(word)
        public += len(redactor.feed(word))
        masked = sum(span.end - span.start - len(placeholder(span.type)) for span in redactor.spans)
        most = max(most, fed - public - masked)
    return most


def test_what_is_held_back_is_bounded() -> None:
    for word in ("john ", "seven ", "s ", "07700 ", "double ", "a, ", "heart ", "14 "):
        assert held_back([word] * 400) <= 400
    assert held_back(["x"] * 2000) <= 300


def test_ordinary_talk_flows_nearly_at_once() -> None:
    talk = "Hello, I would like to come in for a consultation some time next week if that is possible at all."
    assert held_back([word + " " for word in talk.split()]) <= 40


def test_spans_of_several_turns_keep_their_places() -> None:
    redactor = Redactor()
    first, second = "call 07700 900000", "or john@example.com"
    redactor.feed(first)
    redactor.flush()
    redactor.feed(second)
    redactor.flush()
    assert [(first + second)[span.start : span.end] for span in redactor.spans] == [
        "07700 900000",
        "john@example.com",
    ]
