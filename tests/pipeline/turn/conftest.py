"""How many calls are simulated: a few thousand in every test run, more by option."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--simulated-calls", type=int, help="calls that the turn machine is driven through")
