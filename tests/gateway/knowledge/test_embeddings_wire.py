"""What an endpoint answers is read strictly, whatever it is."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.knowledge.embeddings_wire import Garbled, read_vectors


def packed(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()


def answer(*embeddings: Any, indexes: list[Any] | None = None) -> bytes:
    places = range(len(embeddings)) if indexes is None else indexes
    items = [
        {"object": "embedding", "index": at, "embedding": each}
        for at, each in zip(places, embeddings, strict=True)
    ]
    return json.dumps({"object": "list", "data": items, "usage": {"prompt_tokens": 3}}).encode()


def test_vectors_come_in_the_order_of_the_texts_and_have_length_one() -> None:
    mixed = answer(packed(0, 2), [3.0, 4.0], indexes=[1, 0])
    assert read_vectors(mixed, count=2, dimensions=2) == [[0.6, 0.8], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"", 1),
        (b"<html>upstream</html>", 1),
        (b"\xff\xfe", 1),
        (b"null", 1),
        (json.dumps({"data": None}).encode(), 1),
        (json.dumps({"error": {"message": "no"}}).encode(), 1),
        (answer(), 1),
        (answer([1.0, 0.0]), 2),
        (answer([1.0, 0.0], [1.0, 0.0], [1.0, 0.0]), 2),
        (answer([1.0, 0.0], [1.0, 0.0], indexes=[0, 0]), 2),
        (answer([1.0, 0.0], indexes=[1]), 1),
        (answer([1.0, 0.0], indexes=["0"]), 1),
        (answer([1.0, "0"]), 1),
        (answer([1.0, None]), 1),
        (answer([[1.0], [0.0]]), 1),
        (answer([1.0]), 1),
        (answer([1.0, 0.0, 0.0]), 1),
        (answer([]), 1),
        (answer([0.0, 0.0]), 1),
        (answer([1e308, 1e308]), 1),
        (answer(packed(float("nan"), 1.0)), 1),
        (answer(packed(float("inf"), 1.0)), 1),
        (answer("not base64!"), 1),
        (answer(base64.b64encode(b"12345").decode()), 1),
    ],
)
def test_garbage_is_refused(body: bytes, count: int) -> None:
    with pytest.raises(Garbled):
        read_vectors(body, count=count, dimensions=2)


def test_any_size_will_do_where_none_is_asked_for_but_one_for_all() -> None:
    assert read_vectors(answer([5.0]), count=1, dimensions=None) == [[1.0]]
    for body in (answer([1.0], [1.0, 0.0]), answer([1.0, *[0.0] * 3072], [1.0, *[0.0] * 3072])):
        with pytest.raises(Garbled):
            read_vectors(body, count=2, dimensions=None)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    with pytest.raises(Garbled):
        read_vectors(body, count=1, dimensions=8)
