"""Moonshine tiny-en, a speech recogniser of 27 million parameters, driven straight through onnxruntime.

The wheel's own Python layer converts every sample list by hand and is three to five times slower; it also
wants PortAudio. The model hears one utterance at a time and answers cased, punctuated text without word
times.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.simulators.offline.models import ModelFile, open_session

RATE_HZ: Final = 16_000
_LAYERS: Final = 6
_HEADS: Final = 8
_HEAD_SIZE: Final = 36
_START, _END = 1, 2
_TOKENS_PER_S: Final = 6.5
_SPARE_TOKENS: Final = 8
_SHORTEST_SAMPLES: Final = RATE_HZ // 10  # the encoder's convolutions need some; less than this holds no word

_REQUIREMENT: Final = "moonshine-voice==0.1.0"
_ENCODER = ModelFile(
    "moonshine_voice",
    "assets/tiny-en/encoder_model.ort",
    "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    _REQUIREMENT,
)
_DECODER = ModelFile(
    "moonshine_voice",
    "assets/tiny-en/decoder_model_merged.ort",
    "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    _REQUIREMENT,
)
_TOKENS = ModelFile(
    "moonshine_voice",
    "assets/tiny-en/tokenizer.bin",
    "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    _REQUIREMENT,
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """Text as the model wrote it, and its mean token probability (0 to 1; 0 for no text)."""

    text: str
    confidence: float


class Moonshine:
    """The loaded model. Thread-safe as onnxruntime is; one caller at a time keeps to one core."""

    def __init__(self) -> None:
        """Load and check the weights: about half a second. Raises `ModelUnavailable`."""
        self._encoder = open_session(_ENCODER.locate())
        self._decoder = open_session(_DECODER.locate())
        self._tokens = read_tokens(_TOKENS.locate())
        self._cache_names = [
            f"{layer}.{side}.{part}"
            for layer in range(_LAYERS)
            for side in ("decoder", "encoder")
            for part in ("key", "value")
        ]

    def transcribe(self, samples: NDArray[np.float32]) -> Transcript:
        """Recognise one utterance: float32 mono, 16 kHz, -1 to 1, shape (n,). Blocks; releases the GIL."""
        if samples.size < _SHORTEST_SAMPLES:
            return Transcript("", 0.0)
        mask = np.ones((1, samples.size), np.int64)
        (states,) = self._encoder.run(None, {"input_values": samples[None, :], "attention_mask": mask})
        limit = int(samples.size / RATE_HZ * _TOKENS_PER_S) + _SPARE_TOKENS
        ids, probabilities = self._decode(states, mask, limit)
        confidence = float(np.mean(probabilities)) if probabilities else 0.0
        return Transcript(self._text(ids), confidence)

    def _decode(
        self, states: NDArray[np.float32], mask: NDArray[np.int64], limit: int
    ) -> tuple[list[int], list[float]]:
        """Greedy decoding; `limit` tokens at most, which guards against the model's loops."""
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        feed: dict[str, Any] = {f"past_key_values.{name}": empty for name in self._cache_names}
        feed |= {"encoder_hidden_states": states, "encoder_attention_mask": mask}
        ids: list[int] = []
        probabilities: list[float] = []
        token = _START
        for step in range(limit):
            feed["input_ids"] = np.array([[token]], np.int64)
            feed["use_cache_branch"] = np.array([step > 0])
            logits, *caches = self._decoder.run(None, feed)
            scores = logits[0, -1]
            token = int(scores.argmax())
            if token == _END:
                break
            ids.append(token)
            probabilities.append(float(1.0 / np.exp(scores - scores[token]).sum()))
            self._keep_caches(feed, caches, first=step == 0)
        return ids, probabilities

    def _keep_caches(self, feed: dict[str, Any], caches: list[Any], *, first: bool) -> None:
        """The encoder's caches are those of step one: later steps return them empty."""
        for name, cache in zip(self._cache_names, caches, strict=True):
            if first or ".decoder." in name:
                feed[f"past_key_values.{name}"] = cache

    def _text(self, ids: list[int]) -> str:
        raw = b"".join(self._tokens[token] for token in ids if token > _END)
        return raw.decode("utf-8", errors="ignore").replace("\u2581", " ").strip()


def read_tokens(file: Path) -> list[bytes]:
    """Token bytes in id order. Each entry: its length in one byte (two from 128 on, low seven bits first),
    bytes.
    """
    raw = file.read_bytes()
    tokens: list[bytes] = []
    at = 0
    while at < len(raw):
        length = raw[at]
        at += 1
        if length >= 128:
            length = raw[at] * 128 + length - 128
            at += 1
        tokens.append(raw[at : at + length])
        at += length
    return tokens
