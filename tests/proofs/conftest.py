"""The proofs' sizes: small enough for every test run, larger by option.

pytest tests/proofs/test_claims.py --rivals 5 10 50 200 --rounds 300
"""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from bench.stack.postgres import EmbeddedPostgres
from booking.migrate import migrate_blocking
from tests.conftest import Stack

RIVALS = (5, 10, 50)
ROUNDS = 36
_BESIDES_RIVALS = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rivals", type=int, nargs="+", help="connections that want one slot at once")
    parser.addoption("--rounds", type=int, help="slots that each number of rivals fights for")
    parser.addoption("--lives", type=int, help="lives of holds that hypothesis thinks of")
    parser.addoption("--kills", type=int, help="kills of gateways that follow calls up or place some")
    parser.addoption("--slots-per-org", type=int, help="slots that each of 100 clinics has")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rivals" in metafunc.fixturenames:
        metafunc.parametrize("rivals", _rivals(metafunc.config))


def _rivals(config: pytest.Config) -> list[int]:
    return list(config.getoption("rivals", default=None) or RIVALS)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("rounds", default=None) or ROUNDS)


@pytest.fixture(scope="session")
def crowded_urls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A server of its own that takes as many connections as there are rivals."""
    places = max(_rivals(request.config)) + _BESIDES_RIVALS
    server = EmbeddedPostgres(tmp_path_factory.mktemp("crowd"), durable=False, max_connections=places)
    with server as urls:
        migrate_blocking(urls.owner)
        yield {"app": urls.app, "owner": urls.owner, "admin": server.admin_url}


@pytest.fixture
async def there(aside: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The superuser of a file's own database, for whom rows of all are there, and time is at hand."""
    connection = await asyncpg.connect(aside.admin)
    yield connection
    await connection.close()
