"""The embeddings simulator, met by the vendor's own client."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI

from bench.simulators.embeddings import EmbeddingsFault, EmbeddingsSimulator
from bench.simulators.embeddings_rules import MOST_INPUTS
from bench.simulators.embeddings_words import vector_of
from bench.simulators.faults import Refuse

SMALL = "text-embedding-3-small"


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingsSimulator]:
    async with EmbeddingsSimulator() as running:
        yield running


@pytest.fixture
async def client(server: EmbeddingsSimulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="test-key", base_url=server.url, max_retries=0) as opened:
        yield opened


def likeness(one: str, other: str) -> float:
    return float(vector_of(one, 256) @ vector_of(other, 256))


async def test_the_vendors_client_reads_both_encodings_alike(
    server: EmbeddingsSimulator, client: AsyncOpenAI
) -> None:
    texts = ["A filler is £250.", "Parking is free."]
    packed = await client.embeddings.create(model=SMALL, input=texts)
    plain = await client.embeddings.create(model=SMALL, input=texts, encoding_format="float")
    assert sorted(each.index for each in packed.data) == [0, 1]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.index == other.index
        assert len(one.embedding) == 1536
        assert one.embedding == pytest.approx(vector_of(texts[one.index], 1536).tolist())
        assert other.embedding == pytest.approx(one.embedding)
    assert [each.texts for each in server.requests] == [texts, texts]
    shorter = await client.embeddings.create(model=SMALL, input="Parking", dimensions=8)
    assert len(shorter.data[0].embedding) == 8


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"model": "text-embedding-9"}, 404, "text-embedding-9"),
        ({"input": ""}, 400, "empty string"),
        ({"input": []}, 400, "input"),
        ({"input": ["a"] * (MOST_INPUTS + 1)}, 400, str(MOST_INPUTS)),
        ({"input": "word " * 8193}, 400, "8192"),
        ({"input": ["word " * 8000] * 40}, 400, "300000"),
        ({"input": [[1, 2]]}, 400, "text"),
        ({"dimensions": 1537}, 400, "dimensions"),
        ({"dimensions": 0}, 400, "dimensions"),
        ({"model": "text-embedding-ada-002", "dimensions": 512}, 400, "dimensions"),
        ({"encoding_format": "int8"}, 400, "encoding_format"),
        ({"extra_body": {"truncate": True}}, 400, "truncate"),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    client: AsyncOpenAI, body: dict[str, Any], status: int, named: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.embeddings.create(**({"model": SMALL, "input": "a"} | body))
    assert refused.value.status_code == status
    assert named in refused.value.message


async def test_keys_and_planned_faults(server: EmbeddingsSimulator, client: AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="another").embeddings.create(model=SMALL, input="a")
    server.faults.add(Refuse(429, retry_after_s=2))
    with pytest.raises(openai.RateLimitError) as limited:
        await client.embeddings.create(model=SMALL, input="a")
    assert limited.value.response.headers["Retry-After"] == "2"
    server.faults.add(EmbeddingsFault("reset"))
    with pytest.raises(openai.APIConnectionError):
        await client.embeddings.create(model=SMALL, input="a")
    assert (await client.embeddings.create(model=SMALL, input="a")).data[0].index == 0
    assert (await client.models.list()).data[0].id == SMALL


def test_near_texts_are_near_though_they_share_no_word() -> None:
    asked = "Can I leave my automobile?"
    assert likeness(asked, "Parking is behind the house.") > 0.3
    assert abs(likeness(asked, "Lip filler lasts nine months.")) < 0.2
    assert likeness("Fees for fillers", "What does a filler cost?") > 0.9
    assert np.linalg.norm(vector_of("the", 256)) == pytest.approx(1.0)
