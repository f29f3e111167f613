"""`.env.example` names every setting with its default, and nothing else."""

import re
from pathlib import Path

from dotenv import dotenv_values

from gateway.settings import variables

EXAMPLE = Path(__file__).parent.parent / ".env.example"
SETTING = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*?)(?:  # .+)?$", re.MULTILINE)


def test_every_setting_stands_there_once_with_its_default() -> None:
    settings = SETTING.findall(EXAMPLE.read_text(encoding="utf-8"))
    written = [(name, value if commented else None) for commented, name, value in settings]
    assert sorted(written) == sorted((variable.name, variable.default) for variable in variables())


def test_a_plain_copy_sets_nothing() -> None:
    """What must be given stands there empty, and empty counts as not given."""
    assert set(dotenv_values(EXAMPLE).values()) == {""}
