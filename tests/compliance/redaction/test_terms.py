"""No form of a medical word or of a clinic's own service gets out, and no ordinary word is taken for one."""

import pytest

from compliance.redaction import CallRedactor
from compliance.redaction.medical.medical import LEXICON
from compliance.redaction.text.near import edit_distance

SERVICES = [
    "Rhinoplasty consultation", "nose job", "Dermal filler", "Botox treatment", "anti-wrinkle injections",
    "Laser hair removal", "Teeth whitening", "Therapeutic massage",
]  # fmt: skip
ENDINGS = ["", *(mark + end for mark in "'\u2019\u02bc" for end in ("s", "ll", "d", "ve", "re")), "'"]


def said(text: str) -> str:
    return CallRedactor(services=SERVICES, keep=["Dr Patel"]).caller(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize("join", [" ", "-"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_no_term_gets_out_whatever_its_ending(ending: str, join: str) -> None:
    """Each term meets a third of the endings, each ending a third of the terms."""
    redactor = CallRedactor(services=SERVICES)
    for term in [*sorted(LEXICON), *SERVICES][ENDINGS.index(ending) % 3 :: 3]:
        spoken = term.replace("-", " ").replace(" ", join)
        public = redactor.caller(f"well {spoken}{ending} what I rang about")
        for own in ("]'s", "]\u2019s", "]'"):
            public = public.replace(own, "]")
        assert public == "well [REDACTED: MEDICAL] what I rang about", spoken


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("my cancer's back", "my [MEDICAL]'s back"),
        ("my Crohn's is back", "my [MEDICAL] is back"),
        ("a nose job's price", "a [MEDICAL]'s price"),
        ("Botox\u2019ll do", "[MEDICAL] do"),
        ("I have AIDS and I'm on the pill", "I have [MEDICAL] and I'm on the [MEDICAL]"),
        ("I was botoxed", "I was [MEDICAL]"),
        ("botoxing, scanned, bruised", "[MEDICAL], scanned, [MEDICAL]"),
        ("anti wrinkle or antiwrinkle", "[MEDICAL] or [MEDICAL]"),
        ("a rhino plasti please", "a [MEDICAL] please"),
        ("rhino plasty, rino plastee", "[MEDICAL], [MEDICAL]"),
        ("rhinoplasti in May", "[MEDICAL] in May"),
        ("the bow tox's price", "the [MEDICAL]'s price"),
    ],
)
def test_forms_and_mishearings(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "it's fine, I'll come, we've time, they're late, he'd say",
        "a message, needing, waiting, filled, filter, writing, later on",
        "Dr Patel's rooms at 10:30 on Tuesday the 24th",
        "\u00a3250, is it half past ten?",
        "first aid, I can breathe, no job",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert said(text) == text


def test_edit_distance() -> None:
    assert [edit_distance("botox", other) for other in ("botox", "bowtox", "batix", "")] == [0, 1, 2, 5]


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("your website's giving me a real headache", None),
        ("there was a hiccup with the payment", None),
        ("it's a pain trying to park", None),
        ("I get a headache in your car park", "I get a [MEDICAL] in your car park"),
        ("I was on the train and I got a pain", "I was on the train and I got a [MEDICAL]"),
    ],
)
def test_what_a_thing_is_to_somebody_is_no_complaint(text: str, public: str | None) -> None:
    assert said(text) == (public or text)


@pytest.mark.parametrize(
    "term",
    [
        "dental cleaning", "scale and clean", "ill fitting denture", "mole map", "PRK", "ear syringing",
        "egg retrieval", "sperm analysis", "beta hCG", "blastocyst", "gender scan", "tetanus booster",
        "hep A and typhoid", "fasting bloods", "nail trim", "fungal toenail", "knots in my shoulders",
        "sleep apnea", "wet nappies", "Xonvea", "Jaydess", "Difene", "Zepbound", "anti sickness injection",
    ],
)  # fmt: skip
def test_each_speciality_has_its_words(term: str) -> None:
    assert said(f"it's about the {term} please") == "it's about the [MEDICAL] please"
