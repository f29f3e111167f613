"""A strict embeddings server (the OpenAI dialect) whose vectors are made of the words.

What OpenAI refuses is refused with its status and error shape: `bench.simulators.embeddings_rules` holds the
rules, `embeddings_words` what a text means. Sources: OpenAI API reference, "Create embeddings"; openai-python
3.52 as the client that proves it in the tests (read 2026-11).
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from aiohttp import web

from bench.simulators.chat_rules import Refused
from bench.simulators.embeddings_rules import DIMENSIONS, check_request, tokens
from bench.simulators.embeddings_words import Vector, vector_of
from bench.simulators.faults import Faults, Refuse
from bench.simulators.openai_refusals import authorise, json_body, refusal
from bench.simulators.serving import RunningServer, reset_connection, stall

MAX_BODY_BYTES = 8 * 1024 * 1024

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EmbeddingsFault:
    """One answer that is none: the connection cut, nothing said, or a body that makes no sense.

    It does not strike before `after` requests have been answered or refused.
    """

    kind: Literal[
        "reset", "stall", "not_json", "no_data", "one_short", "twice", "smaller", "not_finite", "zero"
    ]
    after: int = 0


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """One request as it came, and how it was answered."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]
    status: int

    @property
    def texts(self) -> Sequence[str]:
        texts = self.body.get("input", ())
        return [texts] if isinstance(texts, str) else texts


class EmbeddingsSimulator:
    """`POST {url}/embeddings` and `GET {url}/models`, from `async with` to its end.

    `requests` records every request for embeddings that was answered or refused, in order; `takes_s` (before
    an answer) and `faults` may be changed while it runs. Faults understood: `Refuse`, `EmbeddingsFault`.
    Items of an answer come last first: their `index` says which is which.
    """

    def __init__(
        self,
        *,
        keys: frozenset[str] | set[str] = frozenset({"test-key"}),
        takes_s: float = 0.0,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._keys = keys
        self.takes_s = takes_s
        self.faults = faults or Faults()
        self.requests: list[EmbeddingsRequest] = []
        self._host = host
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/embeddings", self._embed)
        self._server = RunningServer(app, host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        port = await self._server.start()
        self.url = f"http://{self._host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def _list_models(self, request: web.Request) -> web.Response:
        try:
            authorise(request, self._keys)
        except Refused as refused:
            return refusal(refused)
        return web.json_response(
            {"object": "list", "data": [{"id": m, "object": "model"} for m in DIMENSIONS]}
        )

    async def _embed(self, request: web.Request) -> web.Response:
        body: Mapping[str, Any] = {}
        try:
            authorise(request, self._keys)
            body = await json_body(request)
            response = await self._answer(request, body)
        except Refused as refused:
            response = refusal(refused)
        self.requests.append(EmbeddingsRequest(dict(request.headers), body, response.status))
        return response

    async def _answer(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        if refuse := self.faults.take(Refuse):
            raise Refused(refuse.status, refuse.message, retry_after_s=refuse.retry_after_s)
        texts = check_request(body, DIMENSIONS)
        await asyncio.sleep(self.takes_s)
        vectors = [vector_of(text, body.get("dimensions") or DIMENSIONS[body["model"]]) for text in texts]
        fault = self.faults.take(EmbeddingsFault, lambda each: each.after <= len(self.requests))
        if fault is not None:
            return await _struck(fault, request, body, vectors)
        return _answered(body, _items(body, vectors))


async def _struck(
    fault: EmbeddingsFault, request: web.Request, body: Mapping[str, Any], vectors: list[Vector]
) -> web.Response:
    match fault.kind:
        case "stall":
            await stall()
        case "reset":
            reset_connection(request)
        case "not_json":
            return web.Response(text="<html>upstream</html>", content_type="text/html")
        case "no_data":
            return web.json_response({"object": "list"})
        case "one_short":
            return _answered(body, _items(body, vectors[:-1]))
        case "twice":
            return _answered(body, [_items(body, vectors)[0]] * len(vectors))
        case "smaller":
            return _answered(body, _items(body, [vector[:-1] for vector in vectors]))
        case "not_finite":
            return _answered(body, _items(body, [vector * float("inf") for vector in vectors]))
        case "zero":
            return _answered(body, _items(body, [vector * 0 for vector in vectors]))
    return web.Response(status=499)


def _items(body: Mapping[str, Any], vectors: Sequence[Vector]) -> list[Item]:
    written = [_written(vector, body.get("encoding_format")) for vector in vectors]
    items: list[Item] = [
        {"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(written)
    ]
    return items[::-1]


def _written(vector: Vector, encoding: str | None) -> str | list[float]:
    return base64.b64encode(vector.tobytes()).decode() if encoding == "base64" else vector.tolist()


def _answered(body: Mapping[str, Any], items: Sequence[Item]) -> web.Response:
    given = body["input"]
    used = sum(tokens(text) for text in ([given] if isinstance(given, str) else given))
    return web.json_response(
        {
            "object": "list",
            "data": list(items),
            "model": body["model"],
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }
    )
