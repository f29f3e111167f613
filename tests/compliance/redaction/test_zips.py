"""Towns beside ZIPs."""

import pytest

from compliance.redaction import redact


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("tucson arizona 85719", "[ADDRESS] [POSTCODE]"),
        ("I'm in denver, eight oh two oh three", "I'm in [ADDRESS], [POSTCODE]"),
        ("the zip is nine seven two oh one portland", "the zip is [POSTCODE] [ADDRESS]"),
        ("it's four oh two oh two, Jefferson County", "it's [POSTCODE], [ADDRESS]"),
        ("it's 60614-2203 in full", "it's [POSTCODE] in full"),
        ("are you open in Denver two days a week", "are you open in Denver two days a week"),
        ("flying to boston at two fifteen", "flying to boston at two fifteen"),
    ],
)
def test_a_town_beside_a_zip_is_masked_with_it(text: str, public: str) -> None:
    assert redact(text).replace("[REDACTED: ", "[") == public
