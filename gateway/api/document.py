"""The OpenAPI 3.1 document, made from the declared operations and the types they name."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from booking.staff import SCOPES
from gateway.api import problems
from gateway.api.idempotency import HEADER, MAX_CHARACTERS, REPLAYED
from gateway.api.operations import HTML, JSON, PLATFORM_SCOPE, PREFIX, Operation
from gateway.api.problems import Kind, Problem

API_VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_INFO: Final = {
    "title": "Clinic voice gateway",
    "version": API_VERSION,
    "description": (
        "Slots, holds and bookings of one clinic: the one that the bearer token names in `org_id` "
        "(or `clinic_id`); and the clinic itself. Refusals are RFC 9457 problems; `type` tells their "
        "kinds apart."
    ),
    "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
}
_EVERYWHERE: Final = (
    problems.UNAUTHENTICATED,
    problems.SCOPE_MISSING,
    problems.NO_ORG,
    problems.INVALID,
    problems.FAILED,
    problems.UNAVAILABLE,
)
_WITH_IDS: Final = (problems.FOREIGN, problems.NOT_FOUND)
_WITH_BODY: Final = (problems.MALFORMED, problems.TOO_SLOW, problems.TOO_LARGE, problems.MEDIA_UNKNOWN)
_WITH_KEY: Final = (problems.KEY_MISSING, problems.KEY_PENDING, problems.KEY_REUSED)


def document(operations: Sequence[Operation]) -> bytes:
    """The document as JSON."""
    named = [each for operation in operations for each in _types(operation)]
    _, schemas = msgspec.json.schema_components([Problem, *dict.fromkeys(named)], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _operation(operation)
    whole = {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": PREFIX}],
        "paths": dict(paths),
        "components": {"schemas": schemas, "securitySchemes": {"bearer": _BEARER}},
    }
    return msgspec.json.encode(whole)


_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "A JWT (HS256, RS256) of the configured issuer and audience, or a staff token. Scopes in `scope`: "
        + ", ".join(SCOPES)
        + f"; {PLATFORM_SCOPE} in a token of no clinic, which runs the deployment"
    ),
}


def kinds_of(operation: Operation) -> tuple[Kind, ...]:
    """Every kind of refusal that the operation may answer."""
    with_ids = _WITH_IDS if _PARAMETER.search(operation.path) else ()
    takes_body = operation.body is not None or operation.file is not None
    with_body = _WITH_BODY if takes_body else ()
    with_key = () if operation.repeatable else _WITH_KEY
    every = (*_EVERYWHERE, *with_ids, *with_body, *with_key, *operation.problems)
    return tuple(dict.fromkeys(every))


def _types(operation: Operation) -> Iterable[type[msgspec.Struct]]:
    yield from (each for each in operation.answers.values() if each is not None)
    if operation.body is not None:
        yield operation.body


def _operation(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "security": [{"bearer": [operation.scope]}],
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": _content("application/json", operation.body)}
    if operation.file is not None:
        told["requestBody"] = {"required": True, "content": {operation.file: {"schema": _FILE}}}
    return told


_FILE: Final = {"type": "string", "format": "binary"}


def _parameters(operation: Operation) -> Iterable[Mapping[str, Any]]:
    for name in _PARAMETER.findall(operation.path):
        schema = {"type": "string"} | ({"format": "uuid"} if name.endswith("_id") else {})
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if not operation.repeatable:
        yield {"name": HEADER, "in": "header", "required": True, "schema": _KEY}
    if operation.query is not None:
        yield from _query_parameters(operation.query)


_KEY: Final = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}


def _query_parameters(query: type[msgspec.Struct]) -> Iterable[Mapping[str, Any]]:
    schema = msgspec.json.schema_components([query], ref_template=_REF)[1][query.__name__]
    for name, described in schema["properties"].items():
        required = name in schema.get("required", [])
        yield {"name": name, "in": "query", "required": required, "schema": _without_null(described)}


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter is absent, never null."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _responses(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status, body in operation.answers.items():
        told[str(status)] = {"description": _SUCCESS[status], "headers": _headers(operation, status)}
        if operation.media_type == HTML:
            told[str(status)]["content"] = {HTML: {"schema": {"type": "string"}}}
        elif operation.media_type != JSON:
            told[str(status)]["content"] = {operation.media_type: {"schema": _FILE}}
        elif body is not None:
            told[str(status)]["content"] = _content("application/json", body)
    by_status: dict[int, list[Kind]] = defaultdict(list)
    for kind in kinds_of(operation):
        by_status[kind.status].append(kind)
    for status, kinds in sorted(by_status.items()):
        described = "; ".join(f"`{kind.type}`: {kind.title}" for kind in kinds)
        told[str(status)] = {"description": described, "content": _content(problems.MEDIA_TYPE, Problem)}
    return told


_SUCCESS: Final = {200: "Done", 201: "Made", 202: "Under way", 204: "Done; there is nothing to show"}


def _headers(operation: Operation, status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not operation.repeatable:
        replayed = "`true` if this is the answer that the first request with the key got"
        headers[REPLAYED] = {"description": replayed, "schema": {"type": "string"}}
    if status == 201:
        headers["Location"] = {"description": "Where it is", "schema": {"type": "string"}}
    return headers


def _content(media_type: str, body: type[msgspec.Struct]) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _REF.format(name=body.__name__)}}}
