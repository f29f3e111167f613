"""What an embeddings endpoint answered, read strictly: wrong vectors would find wrong passages in silence.

Source: OpenAI API reference, "Create embeddings", and openai-python 3.52 (read 2026-11): with
`encoding_format` base64 a vector is little-endian float32; servers that do not know it send numbers.
"""

import base64
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from booking.embeddings import MOST_DIMENSIONS, Vector

_LEAST_LENGTH: Final = 1e-12


class Garbled(ValueError):
    """The body holds no usable vectors; the message says what is wrong, never what stands in it."""


class _Item(msgspec.Struct):
    index: int
    embedding: str | list[float]


class _Answer(msgspec.Struct):
    data: list[_Item]


def read_vectors(body: bytes, *, count: int, dimensions: int | None) -> list[Vector]:
    """One vector for each text that was sent, in that order, each of length one. None: any size, all of one.

    Raises `Garbled`.
    """
    try:
        items = msgspec.json.decode(body, type=_Answer).data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Garbled("not an answer of embeddings") from None
    if sorted(item.index for item in items) != list(range(count)):
        raise Garbled("not one vector for each text")
    items.sort(key=lambda item: item.index)
    vectors = [_numbers(item.embedding) for item in items]
    _require_size(vectors, dimensions)
    return [_unit(vector) for vector in vectors]


def _numbers(written: str | Sequence[float]) -> NDArray[np.float64]:
    if not isinstance(written, str):
        return np.asarray(written, dtype=np.float64)
    try:
        return np.frombuffer(base64.b64decode(written, validate=True), dtype="<f4").astype(np.float64)
    except ValueError:
        raise Garbled("a vector is not base64 of float32") from None


def _require_size(vectors: Sequence[NDArray[np.float64]], dimensions: int | None) -> None:
    sizes = {len(vector) for vector in vectors}
    wanted = dimensions or min(sizes)
    if sizes != {wanted} or not 1 <= wanted <= MOST_DIMENSIONS:
        raise Garbled("a vector has not the size that was asked for")


def _unit(vector: NDArray[np.float64]) -> Vector:
    with np.errstate(over="ignore", invalid="ignore"):  # such a length is refused below
        length = float(np.linalg.norm(vector))
    if not _LEAST_LENGTH < length < float("inf"):
        raise Garbled("a vector has no direction")
    unit: list[float] = (vector / length).tolist()
    return unit
