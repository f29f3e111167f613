"""The address at which reports on a message come in."""

from uuid import uuid4

import pytest
from starlette.datastructures import QueryParams

from gateway.status_address import PATH, StatusAddress

ORG, MESSAGE = uuid4(), uuid4()
ADDRESS = StatusAddress(b"k" * 32, "https://gw.example.com")


def query_of(url: str) -> QueryParams:
    return QueryParams(url.partition("?")[2])


def test_an_address_names_org_and_message() -> None:
    url = ADDRESS.url(ORG, MESSAGE)
    assert url.startswith(f"https://gw.example.com{PATH}?")
    assert ADDRESS.read(query_of(url)) == (ORG, MESSAGE)


@pytest.mark.parametrize(
    "query", ["", "m=&k=", "m=1", "k=%ff&m=%ff", f"m={ORG.hex}{MESSAGE.hex}&k=x"], ids=range(5)
)
def test_any_other_names_nothing(query: str) -> None:
    assert ADDRESS.read(QueryParams(query)) is None


def test_neither_another_message_nor_another_deployment_can_use_it() -> None:
    query = dict(query_of(ADDRESS.url(ORG, MESSAGE)))
    assert ADDRESS.read(query | {"m": ORG.hex + uuid4().hex}) is None
    assert StatusAddress(b"j" * 32, "https://gw.example.com").read(query) is None


def test_addresses_under_an_older_key_are_read_as_long_as_it_is_there() -> None:
    query, new = query_of(ADDRESS.url(ORG, MESSAGE)), b"n" * 32
    assert StatusAddress(new, "https://gw.example.com", [b"k" * 32]).read(query) == (ORG, MESSAGE)
    assert StatusAddress(new, "https://gw.example.com").read(query) is None
