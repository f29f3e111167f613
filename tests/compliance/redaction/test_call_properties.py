"""Whole calls with an agent: cuts do not matter, no value gets out in its place, nothing ever raises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.redaction import CallRedactor, Redactor, placeholder

QUESTIONS = [
    "What's your name?", "And your date of birth?", "Could I have the postcode?", "What's the best number?",
    "And your email?", "What's your address?", "Expiry date?", "Could you spell that?", "mm-hm",
    "Is that right?",
    "Your order number?", "So that's oh seven seven double oh nine hundred?", "Take your time.",
]  # fmt: skip
ANSWERS = [
    "it's Sarah O'Brien", "s m i t h",
    "S W one A two double A", "14 December 1955", "the fourth of the fifth",
    "oh seven seven double oh", "nine hundred thousand", "a dot smith at gmail dot com", "14 Elm Road, Leeds",
    "why do you need it", "sorry, one moment", "do you ate for you else", "I'm on warfarin", "04/31", "yes",
    "(", "to see Mr Khan", "the pill", "Rose Cottage, Mill Lane, Kettering", "90210", "it's", ",", "double",
]  # fmt: skip
CALL = st.lists(
    st.tuples(st.sampled_from(QUESTIONS), st.lists(st.sampled_from(ANSWERS), max_size=4).map(" ".join)),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(CALL, st.integers(1, 7))
def test_what_is_published_of_a_call_does_not_depend_on_the_cuts(
    call: list[tuple[str, str]], size: int
) -> None:
    whole, cut = Redactor(), Redactor()
    for question, answer in call:
        assert whole.hear_agent(question) == cut.hear_agent(question)
        pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
        expected = whole.feed(answer) + whole.flush()
        assert "".join(cut.feed(piece) for piece in pieces) + cut.flush() == expected
    assert whole.spans == cut.spans


@settings(max_examples=300, deadline=None)
@given(CALL)
def test_all_but_the_spans_of_a_call_is_published_verbatim(call: list[tuple[str, str]]) -> None:
    redactor = Redactor()
    said = public = ""
    for question, answer in call:
        redactor.hear_agent(question)
        said += answer
        public += redactor.feed(answer) + redactor.flush()
    rebuilt, cursor = "", 0
    for span in redactor.spans:
        assert said[span.start : span.end] == span.value
        assert 0 < span.confidence <= 1
        rebuilt += said[cursor : span.start] + placeholder(span.type)
        cursor = span.end
    assert public == rebuilt + said[cursor:]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_nothing_said_raises(turns: list[str]) -> None:
    call = CallRedactor(services=["Botox treatment"], keep=["Dr Amir Patel"])
    for number, turn in enumerate(turns):
        (call.agent if number % 2 else call.caller)(turn)
