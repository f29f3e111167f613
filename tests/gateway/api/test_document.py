"""The OpenAPI document: what the specification (3.1.0) asks of it, and that it says what is served."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import pytest

from booking.staff import SCOPES
from gateway.api import problems
from gateway.api.document import document, kinds_of
from gateway.api.operations import HTML, PLATFORM_SCOPE, PREFIX
from gateway.api.problems import Kind
from gateway.api.surface import OPERATIONS
from tests.gateway.api.client import fits
from tests.gateway.running import Gateway

# The objects of the specification, as far as ours uses them: whatever is more, or missing, does not decode.


class License(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    identifier: str


class Info(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    version: str
    description: str
    license: License


class Server(msgspec.Struct, forbid_unknown_fields=True):
    url: str


class Parameter(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    place: Literal["path", "query", "header"] = msgspec.field(name="in")
    required: bool
    schema: dict[str, Any]


class MediaType(msgspec.Struct, forbid_unknown_fields=True):
    schema: dict[Literal["$ref", "type", "format"], str]


class RequestBody(msgspec.Struct, forbid_unknown_fields=True):
    required: Literal[True]
    content: dict[Literal["application/json", "application/pdf"], MediaType]


class Header(msgspec.Struct, forbid_unknown_fields=True):
    description: str
    schema: dict[str, Any]


class Response(msgspec.Struct, forbid_unknown_fields=True):
    description: str
    headers: dict[str, Header] = {}
    content: dict[
        Literal["application/json", "application/problem+json", "text/html; charset=utf-8", "audio/wav"],
        MediaType,
    ] = {}


class Described(msgspec.Struct, forbid_unknown_fields=True):
    operation_id: str = msgspec.field(name="operationId")
    summary: str
    tags: list[str]
    security: list[dict[Literal["bearer"], list[str]]]
    parameters: list[Parameter]
    responses: dict[str, Response]
    request_body: RequestBody | None = msgspec.field(name="requestBody", default=None)


class Security(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["http"]
    scheme: Literal["bearer"]
    description: str


class Components(msgspec.Struct, forbid_unknown_fields=True):
    schemas: dict[str, dict[str, Any]]
    schemes: dict[Literal["bearer"], Security] = msgspec.field(name="securitySchemes")


class Document(msgspec.Struct, forbid_unknown_fields=True):
    openapi: Literal["3.1.0"]
    info: Info
    servers: list[Server]
    paths: dict[str, dict[Literal["get", "post", "patch", "delete", "put"], Described]]
    components: Components


TEXT = document(OPERATIONS)
DOCUMENT = msgspec.json.decode(TEXT, type=Document)


def described() -> Iterator[tuple[str, str, Described]]:
    for path, methods in DOCUMENT.paths.items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_it_is_served_to_everybody(gateway: Gateway) -> None:
    response = await gateway.http.get(gateway.url + "/api/openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.content == TEXT


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    references = set(re.findall(r'"\$ref":"#/components/schemas/(\w+)"', TEXT.decode()))
    assert references == set(DOCUMENT.components.schemas)


def test_names_are_unique_and_scopes_are_known() -> None:
    names = [operation.operation_id for _, _, operation in described()]
    assert len(names) == len(set(names)) == len(OPERATIONS)
    needed = {scope for _, _, operation in described() for scope in operation.security[0]["bearer"]}
    assert needed <= {*SCOPES, PLATFORM_SCOPE}


def test_path_parameters_are_those_of_the_path_and_required() -> None:
    for path, _, operation in described():
        given = [each for each in operation.parameters if each.place == "path"]
        assert [each.name for each in given] == re.findall(r"\{(\w+)\}", path)
        assert all(each.required for each in given)


def test_no_two_paths_mean_the_same() -> None:
    paths = list(DOCUMENT.paths)
    assert [(one, other) for one in paths for other in paths if one != other and fits(one, other)] == []


def test_every_post_has_a_key_and_nothing_else_has() -> None:
    for _, method, operation in described():
        keyed = [each for each in operation.parameters if each.name == "Idempotency-Key"]
        assert len(keyed) == (1 if method == "post" else 0)
        assert all(each.required and each.place == "header" for each in keyed)


def test_every_operation_says_how_it_succeeds_and_how_it_refuses() -> None:
    for path, _, operation in described():
        statuses = {int(status) for status in operation.responses}
        assert {401, 403, 422, 503} < statuses
        assert len([status for status in statuses if status < 300]) == 1
        assert ("{" not in path) or 404 in statuses
        for status, response in operation.responses.items():
            problem = int(status) >= 400
            assert ("application/problem+json" in response.content) == problem
            page, sound = path.endswith(".html"), path.endswith("/audio")
            told = not problem and not page and not sound and status != "204"
            assert ("application/json" in response.content) == told
            assert (HTML in response.content) == (not problem and page)
            assert ("audio/wav" in response.content) == (not problem and sound)


def test_patterns_can_be_read_by_other_languages() -> None:
    """JSON Schema's patterns are ECMA's: without Python's anchors."""
    patterns = re.findall(r'"pattern":("(?:[^"\\]|\\.)*")', TEXT.decode())
    assert patterns
    assert not [each for each in patterns if re.search(r"\\[AZ]|\(\?P", json.loads(each))]


def test_every_kind_of_refusal_is_told_by_one_status_and_name() -> None:
    kinds = [each for each in vars(problems).values() if isinstance(each, Kind)]
    assert len({each.name for each in kinds}) == len(kinds)
    told = {each for operation in OPERATIONS for each in kinds_of(operation)}
    untold = {each.name for each in kinds} - {each.name for each in told}
    assert untold == {"method-not-allowed"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_server_is_where_it_is_served(operation: Any) -> None:
    assert DOCUMENT.servers[0].url == PREFIX
    assert operation.method.lower() in DOCUMENT.paths[operation.path]
