"""Requests made from the OpenAPI document, half of them spoilt: whatever comes, the answer is one that the
document declares, never a 500, and repeats nothing of what was sent. (The client checks the former.)
"""

import json
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gateway.api.document import document
from gateway.api.surface import OPERATIONS
from tests.conftest import Clinic
from tests.gateway.api.booked import free_slots, held
from tests.gateway.api.client import Client

DOCUMENT: Mapping[str, Any] = json.loads(document(OPERATIONS))
CANARY = "Xanthippe"
# Stand for ids of the clinic's own, which are not known when requests are made up.
THERE = {f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}": digit for digit in "123"}
FUZZ = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)

TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(categories=["Cc", "Cs", "Co"]), max_size=8),
    st.sampled_from(
        ["\x00", "'; drop table slots; --", "\ud800", "null", "{}", "%s%n", "../../..", "9" * 400]
    ),
).map(lambda text: CANARY + text)
INSTANTS = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    st.datetimes().map(lambda at: at.isoformat()),
    st.sampled_from(
        ["2031-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "now"]
    ),
)
NUMBERS = st.one_of(
    st.integers(), st.integers(-2, 200), st.floats().filter(lambda x: x == x), st.just(10**400)
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def fitting(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Values of a schema's type, nearly all of which it allows."""
    if "$ref" in schema:
        return fitting(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of([fitting(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object" if "properties" in schema:
            required = set(schema.get("required", []))
            parts = {name: spoilt(fitting(each)) for name, each in schema["properties"].items()}
            needed = {name: part for name, part in parts.items() if name in required}
            return st.fixed_dictionaries(
                needed, optional={n: p for n, p in parts.items() if n not in required}
            )
        case "array":
            return st.lists(fitting(schema.get("items", {})), max_size=3)
        case "string":
            return _strings(schema)
        case "integer" | "number":
            return NUMBERS
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return ANYTHING


def _strings(schema: Mapping[str, Any]) -> SearchStrategy[str]:
    match schema.get("format"):
        case "uuid":
            return st.one_of(st.sampled_from(sorted(THERE)), st.uuids().map(str))
        case "date-time":
            return INSTANTS
    if "pattern" in schema:
        return st.sampled_from(["+447700900123", "+15005550001", "+0", "a@b", "12:00"])
    return TEXTS


def spoilt(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Mostly these, sometimes anything."""
    return st.integers(0, 5).flatmap(lambda dice: ANYTHING if dice == 0 else values)


@st.composite
def requests(draw: st.DrawFn, path: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of a request for `Client.request`; `path` is filled in."""
    headers, query, filled = {}, [], path
    for parameter in described["parameters"]:
        value = draw(spoilt(fitting(parameter["schema"])))
        if parameter["in"] == "path":
            filled = filled.replace(
                f"{{{parameter['name']}}}", draw(st.sampled_from([_escaped(value), "%00"]))
            )
        elif parameter["in"] == "header":
            headers[parameter["name"]] = draw(st.sampled_from([uuid4().hex, _printable(value)]))
        elif parameter["required"] or draw(st.booleans()):
            query.append(f"{parameter['name']}={_escaped(value)}")
    parts: dict[str, Any] = {"path": filled + ("?" + "&".join(query) if query else ""), "headers": headers}
    if "requestBody" in described:
        ((media_type, content),) = described["requestBody"]["content"].items()
        schema = content["schema"]
        parts["content"] = draw(
            st.one_of(_bodies(fitting(schema)), _bodies(ANYTHING), st.binary(max_size=80))
        )
        headers["Content-Type"] = draw(
            st.sampled_from([media_type] * 6 + ["application/json; charset=utf-16", "text/xml"])
        )
    return parts


def _bodies(values: SearchStrategy[Any]) -> SearchStrategy[bytes]:
    return values.map(lambda value: json.dumps(value).encode())


def _escaped(value: Any) -> str:
    if isinstance(value, str):
        return quote_from_bytes(value.encode("utf-8", "surrogatepass"), safe="") or "-"
    return quote(json.dumps(value), safe="")


def _printable(value: Any) -> str:
    kept = string.ascii_letters + string.digits + string.punctuation
    return "".join(each for each in str(value) if each in kept)[:300]


EVERY = [
    pytest.param(method.upper(), path, described, id=described["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
]


@pytest.mark.parametrize(("method", "path", "described"), EVERY)
async def test_no_request_is_a_fault_of_ours(
    client: Client, clinic: Clinic, method: str, path: str, described: Mapping[str, Any]
) -> None:
    @FUZZ
    @given(requests(path, described))
    def collected(parts: dict[str, Any]) -> None:
        made.append(parts)

    made: list[dict[str, Any]] = []
    collected()
    (slot,), service = await free_slots(client, clinic, 1), clinic.service_ids[0]
    own = {"1": slot["id"], "2": str(service), "3": (await held(client, clinic))["id"]}
    for parts in made:
        path, content = parts.pop("path"), parts.pop("content", b"")
        for placeholder, digit in THERE.items():
            path = path.replace(placeholder, own[digit])
            content = content.replace(placeholder.encode(), own[digit].encode())
        response = await client.request(method, path, content=content, **parts)
        assert response.status_code != 500, parts
        assert CANARY not in response.text, parts
        assert all(CANARY not in value for value in response.headers.values())
    assert (await client.get("/bookings")).status_code == 200
