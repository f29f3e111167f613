"""How OpenAI's endpoints answer what they refuse, and read what they are sent; pure rules raise `Refused`."""

import json
from collections.abc import Mapping, Set
from typing import Any

from aiohttp import web

from bench.simulators.chat_rules import Refused


def authorise(request: web.Request, keys: Set[str]) -> None:
    """Raises `Refused` unless the request bears one of these keys."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refused(401, "You didn't provide an API key.")
    if key not in keys:
        raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")


async def json_body(request: web.Request) -> Mapping[str, Any]:
    """Raises `Refused` for what is no JSON object."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body of the request must be a JSON object.")
    return body


def refusal(refused: Refused) -> web.Response:
    """Status, error object and, if the refusal says when to come again, its header."""
    headers = {} if refused.retry_after_s is None else {"Retry-After": f"{refused.retry_after_s:g}"}
    error = {"message": str(refused), "type": refused.kind, "param": refused.param, "code": refused.code}
    return web.json_response({"error": error}, status=refused.status, headers=headers)
