"""A pytest plugin: `pytest -p tests.proofs.mutated_stack --mutant NAME` runs any test on a schema from which
the mutant's piece is gone, in whatever database the test works on.
"""

from collections.abc import Generator
from typing import Any

import psycopg
import pytest

from tests.proofs.mutants import BY_NAME, apply

DATABASES = ("stack", "crowded_urls", "matrix", "clinics")
"""The fixtures that answer a migrated database."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutant", required=True, choices=list(BY_NAME))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    made = yield
    if fixturedef.argname in DATABASES and fixturedef.scope != "function":
        url = made["admin"] if isinstance(made, dict) else made.admin
        with psycopg.connect(url) as admin:
            apply(admin, BY_NAME[request.config.getoption("mutant")])
    return made
