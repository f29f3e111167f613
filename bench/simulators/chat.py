"""A strict chat-completions server (the OpenAI dialect) in front of a scripted model.

What OpenAI refuses is refused with its status and error shape: `bench.simulators.chat_rules` holds the
rules. A reply is streamed in token-sized pieces at a settable pace; tool calls come as OpenAI streams them,
the name first and the arguments in pieces. Sources: OpenAI API reference, "Create chat completion" and "Chat
completion chunk"; openai-python 3.52 as the client that proves it in the tests (read 2026-11).
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from bench.simulators.chat_rules import Refused, check_request
from bench.simulators.faults import Faults, Refuse, SlowUpgrade
from bench.simulators.openai_refusals import authorise, json_body, refusal
from bench.simulators.replies import Call, ChatFault, ChatModel, Reply, ScriptEnded
from bench.simulators.serving import RunningServer, reset_connection, stall

# Seconds since the epoch: a fixed `created`, so that a recorded stream compares equal.
CREATED_S = 1_790_000_000
# Its own name, and the name that the gateway asks for unless told otherwise: the same settings work offline.
MODELS = ("scripted-receptionist", "gpt-4.1-mini")
MAX_BODY_BYTES = 4 * 1024 * 1024
# About what a subword tokenizer yields for plain English: a leading space and up to six letters.
_TOKEN = re.compile(r"\s*\S{1,6}|\s+$")
_ARGUMENT_PIECE_CHARS = 8


@dataclass(slots=True)
class Pace:
    """How fast the model seems to think; may be changed while the server runs."""

    first_token_s: float = 0.0
    between_tokens_s: float = 0.0


@dataclass(slots=True)
class ChatRequest:
    """One request as it came, and what became of it."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]
    status: int = 0
    reply: Reply | None = None
    pieces_sent: int = 0
    finished: bool = False
    cancelled: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    fault: ChatFault | None = None
    came_s: float = field(default_factory=time.monotonic)
    first_token_s: float | None = None  # after it came, as drawn

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        messages: Sequence[Mapping[str, Any]] = self.body.get("messages", ())
        return messages

    @property
    def tools(self) -> Sequence[Mapping[str, Any]]:
        tools: Sequence[Mapping[str, Any]] = self.body.get("tools") or ()
        return tools

    @property
    def tokens_billed(self) -> int:
        """Of the prompt and of what was sent of the reply, in this server's own pieces."""
        return _prompt_tokens(self.body) + self.pieces_sent


class ChatSimulator:
    """`POST {url}/chat/completions` and `GET {url}/models`, from `async with` to its end.

    `requests` records every completion request in order, refused ones too; `pace` and `faults` may be
    changed while it runs. `thinks` says for each request how many seconds its first token takes, in place of
    `pace.first_token_s`. Faults understood: `Refuse`, `SlowUpgrade`, and `ChatFault`; a `Reply` may carry
    its own `ChatFault`.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        keys: frozenset[str] | set[str] = frozenset({"test-key"}),
        further_models: Sequence[str] = (),
        pace: Pace | None = None,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        record: bool = True,
        thinks: Callable[[ChatRequest], float] | None = None,
    ) -> None:
        self.model = model
        self._thinks = thinks
        self._keys = keys
        self._models = (*MODELS, *further_models)
        self._record = record
        self.pace = pace or Pace()
        self.faults = faults or Faults()
        self.requests: list[ChatRequest] = []
        self._ids = itertools.count(1)
        self._host = host
        self._server = RunningServer(self._application(), host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        port = await self._server.start()
        self.url = f"http://{self._host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    async def _list_models(self, request: web.Request) -> web.Response:
        try:
            authorise(request, self._keys)
        except Refused as refused:
            return refusal(refused)
        data = [{"id": m, "object": "model", "created": CREATED_S, "owned_by": "bench"} for m in self._models]
        return web.json_response({"object": "list", "data": data})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        record = ChatRequest(dict(request.headers), {})
        if self._record:
            self.requests.append(record)
        try:
            return await self._answer(request, record)
        except Refused as refused:
            record.status = refused.status
            return refusal(refused)
        except asyncio.CancelledError:
            record.cancelled = True
            raise
        except ConnectionError:
            record.cancelled = True
            return web.Response(status=499)
        finally:
            record.over.set()

    async def _answer(self, request: web.Request, record: ChatRequest) -> web.StreamResponse:
        authorise(request, self._keys)
        record.body = await json_body(request)
        await self._strike_before_answer()
        check_request(record.body, self._models)
        record.reply = reply = self._reply(record)
        record.fault = fault = self.faults.take(ChatFault) or reply.fault or ChatFault()
        if fault.status is not None:
            raise Refused(fault.status, "refused by plan", retry_after_s=fault.retry_after_s)
        await asyncio.sleep(fault.delay_s)
        record.status = 200
        if not record.body.get("stream"):
            return await self._whole(record, reply)
        return await self._stream(request, record, reply, fault)

    async def _strike_before_answer(self) -> None:
        if slow := self.faults.take(SlowUpgrade):
            await asyncio.sleep(slow.seconds)
        if refuse := self.faults.take(Refuse):
            raise Refused(refuse.status, refuse.message, retry_after_s=refuse.retry_after_s)

    def _reply(self, record: ChatRequest) -> Reply:
        try:
            return self.model.reply(record.messages, record.tools)
        except ScriptEnded as ended:
            raise Refused(500, str(ended), kind="server_error") from None

    async def _whole(self, record: ChatRequest, reply: Reply) -> web.Response:
        """All at once, when the last piece of a stream would have come."""
        completion_id = f"chatcmpl-{next(self._ids):06d}"
        pieces = _within_limit(reply, record.body)
        async for _ in self._paced(record, _deltas(completion_id, pieces)):
            record.pieces_sent += 1
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(pieces.text) or None,
            "refusal": None,
        }
        if pieces.calls:
            message["tool_calls"] = [_wire_call(completion_id, i, c) for i, c in enumerate(pieces.calls)]
        record.finished = True
        return web.json_response(
            {
                "id": completion_id,
                "object": "chat.completion",
                "created": CREATED_S,
                "model": record.body["model"],
                "choices": [
                    {"index": 0, "message": message, "logprobs": None, "finish_reason": pieces.finish_reason}
                ],
                "usage": _usage(record.body, pieces),
            }
        )

    async def _stream(
        self, request: web.Request, record: ChatRequest, reply: Reply, fault: ChatFault
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        )
        await response.prepare(request)
        events = _Events(response, f"chatcmpl-{next(self._ids):06d}", record.body)
        pieces = _within_limit(reply, record.body)
        async for delta in self._paced(record, _deltas(events.id, pieces)):
            if record.pieces_sent == fault.after_tokens and await _strike(fault, request, events):
                break
            await events.delta(delta)
            record.pieces_sent += 1
        else:
            await self._end_stream(request, record, events, pieces, fault)
        if fault.then != "reset":
            await response.write_eof()
        return response

    async def _end_stream(
        self,
        request: web.Request,
        record: ChatRequest,
        events: "_Events",
        pieces: "_Pieces",
        fault: ChatFault,
    ) -> None:
        if record.pieces_sent <= fault.after_tokens and await _strike(fault, request, events):
            return
        await events.finish(pieces.finish_reason, _usage(record.body, pieces))
        record.finished = True

    async def _paced(
        self, record: ChatRequest, deltas: Sequence[Mapping[str, Any]]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Each piece at its instant, counted from the request: what a piece takes does not delay the next."""
        record.first_token_s = self._thinks(record) if self._thinks else self.pace.first_token_s
        due_s = record.came_s + (record.fault.delay_s if record.fault else 0.0) + record.first_token_s
        for position, delta in enumerate(deltas):
            if position:
                due_s += self.pace.between_tokens_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            yield delta


# Pieces of a reply.


def tokens(text: str) -> list[str]:
    """The pieces in which a text is streamed; joined they are the text."""
    return _TOKEN.findall(text)


@dataclass(frozen=True, slots=True)
class _Pieces:
    text: tuple[str, ...]
    calls: tuple[Call, ...]
    finish_reason: str


def _within_limit(reply: Reply, body: Mapping[str, Any]) -> _Pieces:
    """The reply cut at `max_completion_tokens`, as a real model's would be; no tool call after a cut."""
    pieces = tuple(tokens(reply.text))
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is not None and len(pieces) > limit:
        return _Pieces(pieces[:limit], (), "length")
    return _Pieces(pieces, reply.calls, "tool_calls" if reply.calls else "stop")


def _deltas(completion_id: str, pieces: _Pieces) -> list[Mapping[str, Any]]:
    deltas: list[Mapping[str, Any]] = [{"content": token} for token in pieces.text]
    for index, call in enumerate(pieces.calls):
        wire = _wire_call(completion_id, index, call)
        arguments = wire["function"]["arguments"]
        opening = {**wire, "index": index, "function": {"name": call.name, "arguments": ""}}
        deltas.append({"tool_calls": [opening]})
        deltas.extend(
            {
                "tool_calls": [
                    {"index": index, "function": {"arguments": arguments[at : at + _ARGUMENT_PIECE_CHARS]}}
                ]
            }
            for at in range(0, len(arguments), _ARGUMENT_PIECE_CHARS)
        )
    return deltas


def _wire_call(completion_id: str, index: int, call: Call) -> dict[str, Any]:
    arguments = call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments))
    return {
        "id": f"call_{completion_id.removeprefix('chatcmpl-')}_{index}",
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    """Of the messages and of the tools, which a real server bills as well."""
    texts = [str(message.get("content") or "") for message in body["messages"]]
    texts += [json.dumps(tool) for tool in body.get("tools") or ()]
    return sum(len(tokens(text)) for text in texts)


def _usage(body: Mapping[str, Any], pieces: _Pieces) -> dict[str, Any]:
    """Counted in this server's own pieces: the right order of magnitude, not OpenAI's figure."""
    prompt = _prompt_tokens(body)
    completion = len(_deltas("", pieces))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


# The event stream.


class _Events:
    """Writes one completion's server-sent events."""

    def __init__(self, response: web.StreamResponse, completion_id: str, body: Mapping[str, Any]) -> None:
        self._response = response
        self.id = completion_id
        self._model = body["model"]
        self._with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self._opened = False

    async def delta(self, delta: Mapping[str, Any]) -> None:
        await self._open()
        await self._choice(delta, None)

    async def finish(self, reason: str, usage: Mapping[str, Any]) -> None:
        await self._open()
        await self._choice({}, reason)
        if self._with_usage:
            await self._chunk({"choices": [], "usage": usage})
        await self.raw("data: [DONE]\n\n")

    async def error(self, message: str) -> None:
        error = {"message": message, "type": "server_error", "param": None, "code": None}
        await self.raw(f"data: {json.dumps({'error': error})}\n\n")

    async def raw(self, text: str) -> None:
        await self._response.write(text.encode())

    async def _open(self) -> None:
        if not self._opened:
            self._opened = True
            await self._choice({"role": "assistant", "content": "", "refusal": None}, None)

    async def _choice(self, delta: Mapping[str, Any], finish_reason: str | None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        await self._chunk({"choices": [choice]})

    async def _chunk(self, fields: Mapping[str, Any]) -> None:
        chunk: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": CREATED_S,
            "model": self._model,
            **fields,
        }
        if self._with_usage:
            chunk.setdefault("usage", None)
        await self.raw(f"data: {json.dumps(chunk)}\n\n")


async def _strike(fault: ChatFault, request: web.Request, events: _Events) -> bool:
    """Do what the fault says; true if the stream is over by it."""
    match fault.then:
        case "stall":
            await stall()
        case "reset":
            reset_connection(request)
        case "error":
            await events.error("The server had an error while processing your request.")
        case "finish":
            await events.finish("stop", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
        case "garbage":
            await events.raw(': a comment\n\ndata: {"choices": [{"delta"\n\nevent: unknown\ndata: 7\n\n')
            return False
        case "end":
            pass
        case None:
            return False
    return True
