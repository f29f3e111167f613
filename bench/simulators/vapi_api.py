"""Vapi's REST interface as far as a gateway needs it: assistants, tools, numbers, credentials, calls. Strict.

Vapi docs, API reference, and Vapi's own gitops tool (read 2026-11): bearer authentication; 201 for what is
new; an update replaces the fields that it names and drops those that are null; 400 with all faults of a body
at once; a list is newest first. Secrets of credentials are never told again. An update may not say of which
type or provider the object is: the published schema allows it, that tool avoids it. Of each kind only those
are known that `vapi_schema.json` has: function tools, custom credentials, and so on.
"""

import json
import operator
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import uuid4

from aiohttp import web

from bench.simulators.faults import Faults, Inject, Refuse, Stall
from bench.simulators.serving import RunningServer, reset_connection, stall
from bench.simulators.vapi_rules import faults_of

Handler = Callable[[web.Request], Awaitable[web.Response]]
Object = dict[str, Any]

KINDS: Final = ("assistant", "tool", "phone-number", "credential")
_USUAL_LIMIT: Final = 100
_MOST: Final = 1_000
_MOST_BYTES: Final = 4 * 1024 * 1024
_STATUS: Final = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
_CREDENTIALS: Final = {"custom-credential": "CustomCredentialDTO", "custom-llm": "CustomLLMCredentialDTO"}
_NUMBERS: Final = {
    "vapi": "UpdateVapiPhoneNumberDTO",
    "twilio": "UpdateTwilioPhoneNumberDTO",
    "telnyx": "UpdateTelnyxPhoneNumberDTO",
    "vonage": "UpdateVonagePhoneNumberDTO",
    "byo-phone-number": "UpdateByoPhoneNumberDTO",
}
_FIXED: Final = ("type", "provider")
_WRONG_KEY: Final = (
    "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."
)
_SECRETS: Final = frozenset({"apiKey", "token", "secretKey", "clientSecret"})
_TIMES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "createdAtLt": operator.lt,
    "createdAtLe": operator.le,
    "createdAtGt": operator.gt,
    "createdAtGe": operator.ge,
}
_SAME: Final = ("id", "assistantId", "phoneNumberId")


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Do what is asked, and cut the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class VapiRequest:
    """One request as it came, and how it was answered; 0: not at all."""

    method: str
    path: str
    status: int


class VapiApiSimulator:
    """One organisation at `{url}`, from `async with` to its end.

    Faults understood: `Refuse`, `Stall`, `Inject` (a frame as the whole answer), `LoseAnswer`. `calls`: what
    `GET /call/…` tells, by id.
    """

    def __init__(self, *, api_key: str, host: str = "127.0.0.1") -> None:
        self.bearer = f"Bearer {api_key}"
        self.org_id = str(uuid4())
        self.objects: dict[str, dict[str, Object]] = {kind: {} for kind in KINDS}
        self.calls: dict[str, Object] = {}
        self.faults = Faults()
        self.requests: list[VapiRequest] = []
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._host = host
        self._server = RunningServer(self._application(), host, 0)
        self.url = ""

    async def __aenter__(self) -> Self:
        self.url = f"http://{self._host}:{await self._server.start()}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    def add_number(self, number: str, *, provider: str = "vapi", **fields: Any) -> str:
        """A number that the organisation has (E.164); its id."""
        return str(self._keep("phone-number", {"provider": provider, "number": number, **fields})["id"])

    def add_call(self, **fields: Any) -> str:
        """A call that it has had; its id."""
        call = self._stamped(fields)
        self.calls[call["id"]] = call
        return str(call["id"])

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=_MOST_BYTES)
        for kind in KINDS:
            app.router.add_post(f"/{kind}", self._answers(self._create))
            app.router.add_get(f"/{kind}", self._answers(self._list))
            app.router.add_get(f"/{kind}/{{id}}", self._answers(self._get))
            app.router.add_patch(f"/{kind}/{{id}}", self._answers(self._update))
            app.router.add_delete(f"/{kind}/{{id}}", self._answers(self._delete))
        app.router.add_get("/call", self._answers(self._list_calls))
        app.router.add_get("/call/{id}", self._answers(self._get_call))
        app.router.add_delete("/call/{id}", self._answers(self._delete_call))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            response = await self._struck() or self._unauthorised(request) or await work(request)
            lost = self.faults.take(LoseAnswer) is not None
            status = 0 if lost else response.status
            self.requests.append(VapiRequest(request.method, request.path, status))
            if lost:
                reset_connection(request)
            return response

        return handle

    async def _struck(self) -> web.Response | None:
        if self.faults.take(Stall):
            await stall()
        if inject := self.faults.take(Inject):
            body = inject.frame.encode() if isinstance(inject.frame, str) else inject.frame
            return web.Response(body=body, content_type="application/json")
        refuse = self.faults.take(Refuse)
        if refuse is None:
            return None
        waits = {} if refuse.retry_after_s is None else {"Retry-After": f"{refuse.retry_after_s:g}"}
        return _error(refuse.status, refuse.message, waits)

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == self.bearer:
            return None
        return _error(401, _WRONG_KEY)

    async def _create(self, request: web.Request) -> web.Response:
        kind, body = _kind(request), await _json_object(request)
        if body is None:
            return _error(400, "the body is no JSON object")
        schema = _schema_of_new(kind, body)
        if schema is None:
            return _error(400, [f"no such {kind} is simulated"])
        if wrong := [*faults_of(schema, body), *self._dangling(body)]:
            return _error(400, wrong)
        return web.json_response(_shown(self._keep(kind, body)), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        kind, body = _kind(request), await _json_object(request)
        found = self.objects[kind].get(request.match_info["id"])
        if found is None:
            return _missing(kind)
        if body is None:
            return _error(400, "the body is no JSON object")
        fixed = [f"property {key} should not exist" for key in _FIXED if key in body and kind != "assistant"]
        if wrong := [*fixed, *faults_of(_schema_of_known(kind, found), body), *self._dangling(body)]:
            return _error(400, wrong)
        found.update(body, updatedAt=self._instant())
        for key in [key for key, value in found.items() if value is None]:
            del found[key]
        return web.json_response(_shown(found))

    async def _list(self, request: web.Request) -> web.Response:
        return _listed(self.objects[_kind(request)], request.query)

    async def _get(self, request: web.Request) -> web.Response:
        kind = _kind(request)
        found = self.objects[kind].get(request.match_info["id"])
        return _missing(kind) if found is None else web.json_response(_shown(found))

    async def _delete(self, request: web.Request) -> web.Response:
        kind = _kind(request)
        found = self.objects[kind].pop(request.match_info["id"], None)
        return _missing(kind) if found is None else web.json_response(_shown(found))

    async def _list_calls(self, request: web.Request) -> web.Response:
        return _listed(self.calls, request.query)

    async def _get_call(self, request: web.Request) -> web.Response:
        found = self.calls.get(request.match_info["id"])
        return _missing("call") if found is None else web.json_response(found)

    async def _delete_call(self, request: web.Request) -> web.Response:
        found = self.calls.pop(request.match_info["id"], None)
        return _missing("call") if found is None else web.json_response(found)

    async def _unknown(self, request: web.Request) -> web.Response:
        return _error(404, f"Cannot {request.method} {request.path}")

    def _keep(self, kind: str, body: Mapping[str, Any]) -> Object:
        made = self._stamped(body)
        self.objects[kind][made["id"]] = made
        return made

    def _stamped(self, body: Mapping[str, Any]) -> Object:
        made = self._instant()
        usual = {"id": str(uuid4()), "orgId": self.org_id, "createdAt": made, "updatedAt": made}
        return usual | {key: value for key, value in body.items() if value is not None}

    def _instant(self) -> str:
        """Each later than the one before."""
        self._now += timedelta(milliseconds=1)
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _dangling(self, body: Object) -> list[str]:
        """Ids in it of what is not there."""
        named = list(_named(body))
        missing = [
            f"Credential with ID {each} not found"
            for key, each in named
            if key.startswith("credentialId") and each not in self.objects["credential"]
        ]
        tools = [each for key, each in named if key == "toolIds" and each not in self.objects["tool"]]
        return missing + [f"Couldn't find tool {each}" for each in tools]


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """All ids in it with the names that they go by."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        if key == "credentialId" and isinstance(each, str):
            yield key, each
        elif key in ("credentialIds", "toolIds") and isinstance(each, list):
            yield from ((key, str(one)) for one in each)
        else:
            yield from _named(each)


def _schema_of_new(kind: str, body: Object) -> str | None:
    match kind:
        case "assistant":
            return "CreateAssistantDTO"
        case "tool":
            return "CreateFunctionToolDTO" if body.get("type") == "function" else None
        case "credential":
            known = _CREDENTIALS.get(str(body.get("provider")))
            return None if known is None else f"Create{known}"
    return None


def _schema_of_known(kind: str, found: Object) -> str:
    match kind:
        case "assistant":
            return "UpdateAssistantDTO"
        case "tool":
            return "UpdateFunctionToolDTO"
        case "credential":
            return f"Update{_CREDENTIALS[found['provider']]}"
    return _NUMBERS[found["provider"]]


def _listed(objects: Mapping[str, Object], query: Mapping[str, str]) -> web.Response:
    limit = query.get("limit", str(_USUAL_LIMIT))
    if not limit.isdecimal() or int(limit) > _MOST:
        return _error(400, [f"limit must not be greater than {_MOST}"])
    known = ("limit", *_TIMES, *_SAME)
    if unknown := [f"property {key} should not exist" for key in query if key not in known]:
        return _error(400, unknown)
    newest = sorted(objects.values(), key=lambda each: str(each["createdAt"]), reverse=True)
    fitting = [each for each in newest if _fits(each, query)]
    return web.json_response([_shown(each) for each in fitting[: int(limit)]])


def _fits(found: Object, query: Mapping[str, str]) -> bool:
    made = str(found["createdAt"])
    in_time = all(fits(made, query[key]) for key, fits in _TIMES.items() if key in query)
    return in_time and all(found.get(key) == query[key] for key in _SAME if key in query)


def _shown(value: Any) -> Any:
    """Without what Vapi never tells again."""
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _shown(each) for key, each in value.items() if key not in _SECRETS}


def _kind(request: web.Request) -> str:
    return request.path.split("/")[1]


async def _json_object(request: web.Request) -> Object | None:
    if request.content_type != "application/json":
        return None
    try:
        told = json.loads(await request.read())
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _missing(kind: str) -> web.Response:
    return _error(404, f"{kind} not found")


def _error(status: int, message: str | list[str], headers: Mapping[str, str] | None = None) -> web.Response:
    told = {"message": message, "error": _STATUS.get(status, "Internal Server Error"), "statusCode": status}
    return web.json_response(told, status=status, headers=headers)
