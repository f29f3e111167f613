"""What `python -m tests.proofs.unguarded` would take away is there, in every sink that is documented. That
command takes minutes and is no part of the suite.
"""

import ast
import re

import pytest

from tests.proofs.guards import GUARDS, Edit, Guard, PieceGone
from tests.proofs.judging import ROOT


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_guard_is_there_and_can_be_taken_away(guard: Guard) -> None:
    for edit in guard.edits:
        ast.parse(edit.applied((ROOT / edit.path).read_text()))


def test_a_guard_that_is_gone_is_an_error() -> None:
    with pytest.raises(PieceGone):
        Edit("x.py", "no such piece", "").applied("x = 1")


def test_every_documented_sink_has_a_guard_that_is_missed() -> None:
    section = (ROOT / "docs/compliance.md").read_text().partition("## Where nothing personal may be")[2]
    table = section.partition("| --- | --- |\n")[2].partition("\n\n")[0]
    documented = set(re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE))
    missed = {sink for guard in GUARDS if not guard.equivalent for sink in guard.sinks}
    assert missed == documented


def test_each_guard_has_a_name_of_its_own_and_tests_that_are_there() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
    for proof in {proof for guard in GUARDS for proof in guard.proofs}:
        path, _, test = proof.partition("::")
        assert (ROOT / path).exists()
        assert f"def {test.partition('[')[0]}" in ((ROOT / path).read_text() if test else "def ")
