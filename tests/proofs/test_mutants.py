"""What the mutants would take from the schema is there, or `python -m tests.proofs.mutations` would
have nothing to say of it. That command takes minutes and is no part of the suite.
"""

import psycopg
import pytest

from tests.conftest import Stack
from tests.proofs.mutants import BY_NAME, MUTANTS, Edit, Mutant, PieceGone, apply, edited


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_piece_is_there(stack: Stack, mutant: Mutant) -> None:
    with psycopg.connect(stack.admin) as admin, admin.transaction(force_rollback=True):
        apply(admin, mutant)


def test_a_piece_that_is_gone_is_an_error() -> None:
    with pytest.raises(PieceGone):
        edited("select 1", Edit("anything", "no such text", ""))


def test_every_mutant_has_proofs_or_says_why_not() -> None:
    assert len(BY_NAME) == len(MUTANTS)
    assert all(mutant.proofs or mutant.equivalent for mutant in MUTANTS)
