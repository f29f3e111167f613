"""Free slots over HTTP: pages that neither skip nor repeat, and queries that make no sense."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Clinic
from tests.gateway.api.client import Client, ids, kind


async def every_page(client: Client, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = (await client.get("/slots", **query)).json()
    found += page["items"]
    while page["next"] is not None:
        page = (await client.get("/slots", **query, cursor=page["next"])).json()
        found += page["items"]
    return found


def until(clinic: Clinic, days: int) -> str:
    day = datetime.combine(clinic.first_day, datetime.min.time(), UTC) + timedelta(days=days)
    return day.isoformat()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_neither_skip_nor_repeat(client: Client, clinic: Clinic, limit: int) -> None:
    """Two practitioners have a slot at each instant, so that every second page begins in between."""
    query = {"service_id": clinic.service_ids[0], "until": until(clinic, 1)}
    found = await every_page(client, **query, limit=limit)
    whole = await every_page(client, **query, limit=99)
    assert ids(found) == ids(whole)
    assert len(set(ids(found))) == len(found) == 2 * 16
    assert [slot["starts_at"] for slot in found] == sorted(slot["starts_at"] for slot in found)
    assert {slot["practitioner_id"] for slot in found} == {str(each) for each in clinic.practitioner_ids}


async def test_a_page_stands_while_slots_before_it_are_taken(client: Client, clinic: Clinic) -> None:
    query = {"service_id": clinic.service_ids[0], "until": until(clinic, 1), "limit": 5}
    whole = await every_page(client, **query)
    first = (await client.get("/slots", **query)).json()
    for slot in first["items"]:
        assert (await client.post("/holds", {"slot_id": slot["id"]})).status_code == 201
    second = (await client.get("/slots", **query, cursor=first["next"])).json()
    assert ids(second["items"]) == ids(whole[5:10])


async def test_one_practitioner_from_a_time_on(client: Client, clinic: Clinic) -> None:
    after = (datetime.fromisoformat(until(clinic, 0)) + timedelta(hours=12)).isoformat()
    mine = clinic.practitioner_ids[1]
    found = await every_page(
        client,
        service_id=clinic.service_ids[0],
        practitioner_id=mine,
        after=after,
        until=until(clinic, 1),
        limit=4,
    )
    assert found
    assert {slot["practitioner_id"] for slot in found} == {str(mine)}
    assert min(slot["starts_at"] for slot in found) >= after.replace("+00:00", "Z")


async def test_what_a_page_shows(client: Client, clinic: Clinic) -> None:
    (slot,) = (await client.get("/slots", service_id=clinic.service_ids[0], limit=1)).json()["items"]
    assert set(slot) == {"id", "service_id", "practitioner_id", "practitioner", "starts_at", "ends_at"}
    assert slot["starts_at"].endswith("Z")


NO_QUERIES: list[tuple[dict[str, str], str]] = [
    ({"service_id": "7"}, "$.service_id"),
    ({"service_id": "'; drop table slots; --"}, "$.service_id"),
    ({"after": "2030-01-01T10:00:00"}, "$.after"),
    ({"after": "tomorrow"}, "$.after"),
    ({"until": "2030-01-01"}, "$.until"),
    ({"limit": "0"}, "$.limit"),
    ({"limit": "101"}, "$.limit"),
    ({"limit": "ten"}, "$.limit"),
    ({"practitioner_id": "Dr Patel"}, "$.practitioner_id"),
    ({"cursor": "x"}, "$.cursor"),
    ({"cursor": "AAAA"}, "$.cursor"),
    ({"cursor": "\u00e9"}, "$.cursor"),
    ({"phone": "+447700900123"}, "$"),
]


async def test_queries_that_make_no_sense(client: Client, clinic: Clinic) -> None:
    for query, place in NO_QUERIES:
        response = await client.get("/slots", **{"service_id": clinic.service_ids[0]} | query)
        assert (response.status_code, kind(response)) == (422, "invalid"), query
        assert response.json()["pointer"] == place
        assert not [value for value in query.values() if len(value) > 2 and value in response.text]


async def test_a_query_that_is_none(client: Client, clinic: Clinic) -> None:
    assert (await client.request("GET", "/slots")).status_code == 422
    twice = f"/slots?service_id={uuid4()}&service_id={uuid4()}"
    for path in [
        twice,
        "/slots?service_id",
        "/slots?" + "&".join(f"a{n}=1" for n in range(40)),
        "/slots?a=%ff",
    ]:
        assert (await client.request("GET", path)).status_code == 422, path


async def test_services_and_practitioners_that_nobody_has(client: Client, clinic: Clinic) -> None:
    service = await client.get("/slots", service_id=uuid4())
    assert (service.status_code, service.json()["detail"]) == (404, "service")
    somebody = await client.get("/slots", service_id=clinic.service_ids[0], practitioner_id=uuid4())
    assert (somebody.status_code, somebody.json()["detail"]) == (404, "practitioner")
