"""Words that a call's recogniser is told to expect, as Deepgram takes them in mid-stream. Pure.

Deepgram docs, "Configure" of /v1/listen (Nova-3, since October 2026) and of Flux, read 2026-11: `keyterms`
replaces the list; at most 500 tokens in all. The tokeniser is not published, and a list that is too long has
stopped transcription for 30 s, so tokens are counted as if each held two letters. The 101st term is refused.
Older models know no Configure for words.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

_BYTES_PER_TOKEN: Final = 2
_MOST_TOKENS: Final = 500
_MOST_TERMS: Final = 100


def fitting(terms: Iterable[str]) -> tuple[str, ...]:
    """The terms that surely fit, foremost first; each once, single-spaced, without control characters."""
    kept: dict[str, str] = {}
    tokens = 0
    for term in terms:
        plain = " ".join("".join(each if each.isprintable() else " " for each in term).split())
        needed = sum(-(-len(word.encode()) // _BYTES_PER_TOKEN) for word in plain.split())
        if not plain or plain.casefold() in kept or tokens + needed > _MOST_TOKENS:
            continue
        kept[plain.casefold()] = plain
        tokens += needed
        if len(kept) == _MOST_TERMS:
            break
    return tuple(kept.values())


def configure(model: str, terms: tuple[str, ...]) -> str | None:
    """The message that makes an open socket expect them; None for a model that takes none."""
    if not model.startswith(("flux", "nova-3")):
        return None
    return msgspec.json.encode({"type": "Configure", "keyterms": terms}).decode()


def is_refusal(data: bytes) -> bool:
    """Whether a message that says nothing of turns is the vendor's no to a Configure."""
    return b'"ConfigureFailure"' in data
