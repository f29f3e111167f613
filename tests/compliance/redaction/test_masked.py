"""What stood where the placeholders stand."""

import pytest

from compliance.redaction.masked import masked

MEDICAL, PERSON = "[REDACTED: MEDICAL]", "[REDACTED: PERSON]"


@pytest.mark.parametrize(
    ("text", "public", "found"),
    [
        ("Nothing here.", "Nothing here.", []),
        ("So you have glaucoma.", f"So you have {MEDICAL}.", [("MEDICAL", "glaucoma")]),
        ("glaucoma", MEDICAL, [("MEDICAL", "glaucoma")]),
        (
            "Jane has gout.\nAnd asthma?",
            f"{PERSON} has {MEDICAL}.\nAnd {MEDICAL}?",
            [("PERSON", "Jane"), ("MEDICAL", "gout"), ("MEDICAL", "asthma")],
        ),
        ("a (b.*) glaucoma", f"a (b.*) {MEDICAL}", [("MEDICAL", "glaucoma")]),
        ("It says [REDACTED: CODE] there.", "It says [REDACTED: CODE] there.", []),
    ],
)
def test_each_value_is_found_in_order(text: str, public: str, found: list[tuple[str, str]]) -> None:
    assert masked(text, public) == found


def test_another_texts_public_form_gives_nothing() -> None:
    assert masked("Quite something else.", f"So you have {MEDICAL}.") == []
