"""From a request to its answer: guard, values, idempotency, handler; whatever is raised becomes a problem."""

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from booking.errors import (
    BookingError,
    BookingUnavailable,
    ClinicInvalid,
    NumberInvalid,
    OrgUnknown,
    StatementRefused,
    ValueInvalid,
)
from gateway.api.guard import require_scope
from gateway.api.idempotency import HEADER, Attempt, Rendered, read_key
from gateway.api.operations import HTML, Answer, ApiContext, Asked, Operation, Platform, Principal
from gateway.api.problems import (
    FAILED,
    INVALID,
    MALFORMED,
    MEDIA_TYPE,
    MEDIA_UNKNOWN,
    NOT_FOUND,
    TOO_LARGE,
    TOO_SLOW,
    UNAVAILABLE,
    Refused,
)
from gateway.api.reach import ServedOrgs, principal_of, require_own

log = structlog.get_logger("gateway.api")

_JSON: Final = "application/json"
_BODY_TYPES: Final = {"POST": {_JSON}, "PUT": {_JSON}, "PATCH": {_JSON, "application/merge-patch+json"}}
_MAX_PARAMETERS: Final = 32
_JSON_PATH: Final = re.compile(r" - at (?:key in )?`(\$[\w.\[\]]*)`\Z")
_DATA_EXCEPTION: Final = "22"  # the SQLSTATE class of values that make no sense


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Answers admitted requests; never raises but when cancelled."""

    api: ApiContext
    served: ServedOrgs

    async def answer(self, operation: Operation, request: Request, caller: Principal | Platform) -> Response:
        began_s = time.perf_counter()
        try:
            principal = principal_of(caller, operation, request.path_params)
            rendered: Rendered | Answer = await self._answer(operation, request, principal)
        except Exception as error:  # noqa: BLE001  the edge of the request: each gets an answer
            rendered = refusal(error, operation.name)
        took_s = time.perf_counter() - began_s
        self.api.metrics.api_requests.labels(operation.name, str(rendered.status)).observe(took_s)
        return _streamed(operation, rendered) if isinstance(rendered, Answer) else as_response(rendered)

    async def _answer(
        self, operation: Operation, request: Request, principal: Principal
    ) -> Rendered | Answer:
        """An `Answer` if it is to be handed on piece by piece."""
        require_scope(principal, operation)
        await self.served.require(principal)
        asked = await self._asked(operation, request, principal)
        await require_own(asked)
        if operation.repeatable:
            answer = await operation.handler(asked)
            return rendered_answer(answer) if answer.file is None else answer
        key = read_key(request.headers.get(HEADER))
        attempt = Attempt.of(self.api, principal, key, _identity(request, asked.body))
        if (answered := await attempt.begin()) is not None:
            return answered
        return await self._attempted(operation, attempt, replace(asked, key=attempt.key))

    async def _attempted(self, operation: Operation, attempt: Attempt, asked: Asked) -> Rendered:
        try:
            rendered = rendered_answer(await operation.handler(asked))
        except Exception as error:  # noqa: BLE001  a refusal is an answer too, and kept
            rendered = refusal(error, operation.name)
        try:
            await attempt.end(rendered)
        except BookingUnavailable:
            log.warning("api_answer_unkept", name=operation.name)  # done all the same; the attempt lapses
        return rendered

    async def _asked(self, operation: Operation, request: Request, principal: Principal) -> Asked:
        return Asked(
            api=self.api,
            principal=principal,
            path={name: str(value) for name, value in request.path_params.items()},
            query=_query(operation, request),
            body=await self._body(operation, request),
        )

    async def _body(self, operation: Operation, request: Request) -> Any:
        """The decoded body; without a declared one whatever was sent is left unread."""
        if operation.body is None and operation.file is None:
            return None
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if operation.file is not None:
            if media_type != operation.file:
                raise Refused(MEDIA_UNKNOWN)
            return await self._read(request, operation.file_bytes)
        if media_type not in _BODY_TYPES[operation.method]:
            raise Refused(MEDIA_UNKNOWN)
        content = await self._read(request, self.api.settings.limits.api_body_bytes)
        try:
            decoded = msgspec.json.decode(content, type=operation.body)
        except msgspec.ValidationError as error:
            raise Refused(INVALID, pointer=_place_of(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused(MALFORMED) from None
        _require_single_members(content)
        return decoded

    async def _read(self, request: Request, limit: int) -> bytes:
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise Refused(TOO_LARGE)
        content = bytearray()
        try:
            async with asyncio.timeout(self.api.settings.waits.api_body_s):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > limit:
                        raise Refused(TOO_LARGE)
        except TimeoutError:
            raise Refused(TOO_SLOW) from None
        except ClientDisconnect:
            raise Refused(MALFORMED) from None
        return bytes(content)


def _streamed(operation: Operation, answer: Answer) -> Response:
    """What fails in the middle cuts the connection, before the length that was announced."""
    assert answer.file is not None  # noqa: S101  as `_answer` says
    headers = {**answer.headers, "Cache-Control": "no-store"}
    return StreamingResponse(answer.file, answer.status, headers, operation.media_type)


def rendered_answer(answer: Answer) -> Rendered:
    if answer.page is not None:
        return Rendered(answer.status, {"Content-Type": HTML, **answer.headers}, answer.page.encode())
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    media_type = {} if answer.body is None else {"Content-Type": _JSON}
    return Rendered(answer.status, {**media_type, **answer.headers}, body)


def refusal(error: Exception, operation: str) -> Rendered:
    """The problem that an error is; one that nobody expected is logged, here alone."""
    refused = _refused(error)
    if refused is None:
        log.error("api_failed", name=operation, exc_info=error)
        refused = Refused(FAILED)
    headers = {"Content-Type": MEDIA_TYPE, **refused.headers}
    return Rendered(refused.kind.status, headers, msgspec.json.encode(refused.problem))


def as_response(rendered: Rendered) -> Response:
    headers = {**rendered.headers, "Cache-Control": "no-store"}
    return Response(rendered.body, status_code=rendered.status, headers=headers)


def _refused(error: Exception) -> Refused | None:
    match error:
        case Refused():
            return error
        case BookingUnavailable():
            return Refused(UNAVAILABLE)
        case OrgUnknown():
            return Refused(NOT_FOUND, detail="org")
        case ClinicInvalid():
            return Refused(INVALID, detail=str(error))
        case StatementRefused(sqlstate=state) if state.startswith(_DATA_EXCEPTION):
            return Refused(INVALID)
        case ValueInvalid() | NumberInvalid():
            return Refused(INVALID)
        case BookingError(retryable=True) | TimeoutError():
            return Refused(UNAVAILABLE)
    return None


def _identity(request: Request, body: Any) -> bytes:
    """What a repetition must have in common with the first request."""
    content = msgspec.json.encode(body, order="deterministic")
    return f"{request.method} {request.url.path}\x00".encode() + content


def _require_single_members(content: bytes) -> None:
    """Of two members of one name nobody knows which is meant; decoders differ (RFC 8259 section 4)."""

    def counted(members: Sequence[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) != len(members):
            raise Refused(MALFORMED, detail="a member stands there twice")

    json.loads(content, object_pairs_hook=counted)


def _query(operation: Operation, request: Request) -> Any:
    parameters = _parameters(request.url.query)
    if operation.query is None:
        if parameters:
            raise Refused(INVALID, detail="no query parameter is known here")
        return None
    try:
        return msgspec.convert(parameters, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(INVALID, pointer=_place_of(error)) from None


def _parameters(query: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query),
            max_num_fields=_MAX_PARAMETERS, errors="strict",
        )  # fmt: skip
    except ValueError:
        raise Refused(INVALID, detail="the query cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(INVALID, detail="a query parameter stands there twice")
    return found


def _place_of(error: msgspec.ValidationError) -> str:
    """The JSON path in msgspec's message, of declared fields; the rest may quote what was sent."""
    found = _JSON_PATH.search(str(error))
    return found[1] if found else "$"
