"""Any chat-completions server as `LanguageModel`, over the openai package.

The package does authentication, request, error classes and the connection pool; the stream is read as bytes
and split here, on its aiohttp transport: 133 us of CPU per chunk against 450 us for its own typed stream, and
this is the most expensive of the vendor links. The request's body goes in whole, as an extra one: given as
parameters, prompt and tools are walked over value by value, some milliseconds a request. Its retries are
off (they wait up to 8 s without a word to the caller) and its pool keeps connections for minutes: with its
default of 5 s almost every turn would pay for a new one.

Closing a reply early gives its HTTP/1.1 connection up; call `warm_up` after a barge-in so that the next turn
finds one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

import aiohttp
import httpx2
import openai
import structlog
from openai import AsyncOpenAI, DefaultAioHttpClient

from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import LlmEvent
from pipeline.ports import Message, ToolSpec
from pipeline.providers.llm_request import LlmConfig, completion_request
from pipeline.providers.llm_stream import ReplyStream
from pipeline.providers.models import refuse_retired
from pipeline.providers.sockets import can_retry_status, http_url, tls_context

__all__ = ["ChatModel", "LlmConfig"]

log: Final = structlog.get_logger(__name__)


class ChatModel:
    """Owns the connection pool. Raises `ModelRetired`, and ValueError for a URL of another scheme, when it is
    made, which takes some 100 ms: make it at start-up.
    """

    def __init__(self, config: LlmConfig) -> None:
        refuse_retired("llm", config.model)
        base_url = http_url(config.base_url)
        self._config = config
        self._client = AsyncOpenAI(
            api_key=config.api_key,
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(config.read_s, connect=config.connect_s, pool=config.connect_s),
            http_client=DefaultAioHttpClient(
                verify=tls_context(),
                limits=httpx2.Limits(
                    max_connections=config.max_connections,
                    max_keepalive_connections=config.max_connections,
                    keepalive_expiry=config.keepalive_s,
                ),
            ),
        )
        self._completions = self._client.chat.completions.with_streaming_response
        self._models = self._client.models.with_raw_response

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> AsyncIterator[LlmEvent]:
        """See `LanguageModel`. Raises `ProviderError`."""
        if self._client.is_closed():
            raise ProviderDropped("llm", "client_closed", retryable=False)
        body = completion_request(self._config, messages, tools)
        try:
            async with (
                self._completions.create(
                    model=body["model"], messages=(), stream=True, extra_body=body
                ) as response,
                aclosing(self._events(response.iter_bytes())) as events,
            ):
                async for event in events:
                    yield event
        except openai.APIStatusError as answer:
            status = answer.status_code
            raise ProviderRefused("llm", f"http_{status}", retryable=can_retry_status(status)) from None
        except (openai.APIConnectionError, httpx2.HTTPError, aiohttp.ClientError, OSError) as failure:
            raise _broken(failure) from None

    async def warm_up(self) -> None:
        """See `LanguageModel`: a list of models, the cheapest request that every server knows."""
        if self._client.is_closed():
            return
        try:
            async with asyncio.timeout(self._config.warm_up_s):
                await self._models.list()
        except (openai.APIError, aiohttp.ClientError, OSError) as failure:
            log.info("llm_not_warm", fault=type(failure).__name__)

    async def aclose(self) -> None:
        """Closes the pooled connections; replies still streaming fail."""
        await self._client.close()

    async def _events(self, blocks: AsyncIterator[bytes]) -> AsyncGenerator[LlmEvent, None]:
        stream = ReplyStream()
        while (block := await self._next_block(blocks, stream)) is not None:
            for event in stream.feed(block):
                yield event
        for event in stream.end():
            yield event

    async def _next_block(self, blocks: AsyncIterator[bytes], stream: ReplyStream) -> bytes | None:
        """None at the body's end; once the reply is complete, the rest has little time to come.

        The body is read to its end because only then can the connection be used again.
        """
        try:
            async with asyncio.timeout(self._config.tail_s if stream.has_finished else None):
                return await anext(blocks, None)
        except TimeoutError:
            if stream.has_finished:
                return None
            raise


def _broken(failure: BaseException) -> ProviderError:
    """The aiohttp transport calls every broken connection a timeout; what it was stands in the cause."""
    root = failure
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, TimeoutError | httpx2.TimeoutException):
        return ProviderStalled("llm", "read_timeout", retryable=True)
    return ProviderDropped("llm", "connection_lost", retryable=True)
