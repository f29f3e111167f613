"""Any server of embeddings in the OpenAI dialect, over the openai package.

The package does authentication, request, error classes and the connection pool, on its aiohttp transport as
for the model that thinks; the answer's bytes are read here, strictly. Its retries are off: in a call there is
no time for them, and the loading of documents says when it waits. What is sent is what is said or loaded: it
stands in no log, no error and no metric.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp
import httpx2
import openai
import structlog
from openai import AsyncOpenAI, DefaultAioHttpClient, omit

from booking.embeddings import Vector
from gateway.errors import EmbeddingsUnavailable
from gateway.knowledge.embeddings_wire import Garbled, read_vectors
from gateway.settings import Embeddings
from pipeline.providers.sockets import can_retry_status, http_url, tls_context

log: Final = structlog.get_logger(__name__)

_MOST_CONNECTIONS: Final = 20


class EmbeddingsClient:
    """Owns the connection pool. Made in some 100 ms: at start-up, not in a call."""

    def __init__(self, settings: Embeddings) -> None:
        self._settings = settings
        self._client = AsyncOpenAI(
            api_key=settings.api_key,
            base_url=http_url(settings.url),
            max_retries=0,
            http_client=DefaultAioHttpClient(
                verify=tls_context(),
                limits=httpx2.Limits(
                    max_connections=_MOST_CONNECTIONS,
                    max_keepalive_connections=_MOST_CONNECTIONS,
                    keepalive_expiry=settings.keepalive_s,
                ),
            ),
        )
        self._embeddings = self._client.embeddings.with_raw_response
        self._models = self._client.models.with_raw_response

    async def embed(self, texts: Sequence[str], *, within_s: float) -> list[Vector]:
        """What they mean, in their order, each of length one. Raises `EmbeddingsUnavailable`."""
        dimensions = self._settings.dimensions
        try:
            async with asyncio.timeout(within_s):
                answer = await self._embeddings.create(
                    input=list(texts),
                    model=self._settings.model,
                    dimensions=omit if dimensions is None else dimensions,
                    encoding_format="base64",
                )
            return read_vectors(answer.content, count=len(texts), dimensions=dimensions)
        except openai.APIStatusError as refusal:
            raise _refused(refusal) from None
        except TimeoutError:
            raise EmbeddingsUnavailable("no answer in time", retryable=True) from None
        except (openai.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError):
            raise EmbeddingsUnavailable("connection lost", retryable=True) from None
        except Garbled as garbled:
            raise EmbeddingsUnavailable(str(garbled), retryable=True) from None

    async def warm_up(self) -> None:
        """Have a connection ready, by the cheapest request that every server knows. Never raises."""
        try:
            async with asyncio.timeout(self._settings.query_s):
                await self._models.list()
        except (openai.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError) as failure:
            log.info("embeddings_not_warm", fault=type(failure).__name__)

    async def aclose(self) -> None:
        """Closes the pooled connections."""
        await self._client.close()


def _refused(refusal: openai.APIStatusError) -> EmbeddingsUnavailable:
    status = refusal.status_code
    retry_after = refusal.response.headers.get("Retry-After", "")
    wait_s = float(retry_after) if retry_after.isdecimal() else None
    return EmbeddingsUnavailable(f"http_{status}", retryable=can_retry_status(status), retry_after_s=wait_s)
