"""Vectors that a text's words make, the same each time: texts that share meanings point in like directions.

Each meaning is a direction of its own, drawn from its name. A word means itself without its ending, or what
the table below says, so that a question can be near a passage with which it shares no word. This is no model:
it knows the few meanings that tests and benches need.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_ENDING: Final = re.compile(r"(?:ing|ed|s)$")
_SHORTEST_STEM: Final = 3
_SAYS_LITTLE: Final = frozenset(
    word
    for words in (
        "a an and any anywhere are as at be before by can could do does for from have how i if in is it",
        "may me my of on or our please so that the there they this to was we what when where",
        "which will with would you your",
    )
    for word in words.split()
)
_MEANINGS: Final[Mapping[str, str]] = {
    word: group[0]
    for group in (
        ("car", "park", "drive", "vehicle", "automobile", "motor"),
        ("child", "children", "kid", "toddler", "daughter", "son", "pram"),
        ("cost", "price", "fee", "charge", "pound", "expensive", "cheap"),
        ("hurt", "pain", "painful", "sore", "discomfort", "ache", "sting"),
        ("wheelchair", "step", "ramp", "lift", "stair", "accessible"),
        ("dog", "animal", "pet", "cat"),
    )
    for word in group
}


def vector_of(text: str, dimensions: int) -> Vector:
    """float32, shape (dimensions,), of length one; of a text without a word that says something, too."""
    meanings = sorted({_meaning(word) for word in _WORD.findall(text.lower())} - {""}) or [text]
    total: Vector = np.sum([_direction(meaning, dimensions) for meaning in meanings], axis=0)
    unit: Vector = total / np.linalg.norm(total)
    return unit


def _meaning(word: str) -> str:
    if word in _SAYS_LITTLE:
        return ""
    stem = _ENDING.sub("", word)
    stem = stem if len(stem) >= _SHORTEST_STEM else word
    return _MEANINGS.get(word) or _MEANINGS.get(stem) or stem


@lru_cache(maxsize=20_000)
def _direction(meaning: str, dimensions: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(meaning.encode()).digest()[:8])
    return np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
