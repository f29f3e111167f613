"""What OpenAI's embeddings endpoint refuses, as pure checks over the request body.

Sources: OpenAI API reference "Create embeddings" (at most 2,048 inputs, 8,192 tokens each, 300,000 in sum;
no empty string; `dimensions` for text-embedding-3 and later), and the error texts that public issue trackers
quote (read 2026-11). Stricter in one point: inputs are text, never token ids.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.simulators.chat_rules import Refused

DIMENSIONS: Final[Mapping[str, int]] = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
MOST_INPUTS: Final = 2048
MOST_TOKENS: Final = 8192
MOST_TOKENS_IN_SUM: Final = 300_000
_FIELDS: Final = frozenset({"input", "model", "dimensions", "encoding_format", "user"})
_TOKEN: Final = re.compile(r"\s*\S{1,6}|\s+$")


def check_request(body: Mapping[str, Any], models: Mapping[str, int]) -> Sequence[str]:
    """The texts to embed. `models`: how many dimensions each makes. Raises `Refused`."""
    for field in body:
        _require(field in _FIELDS, f"Unrecognized request argument supplied: {field}", field)
    _check_model(body.get("model"), models)
    _check_dimensions(body, models)
    formats = (None, "float", "base64")
    _require(body.get("encoding_format") in formats, "Invalid 'encoding_format'.", "encoding_format")
    texts = body.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    _check_texts(texts, str(body["model"]))
    return list(texts or ())


def tokens(text: str) -> int:
    """Counted in this server's own pieces: the right order of magnitude, not OpenAI's figure."""
    return len(_TOKEN.findall(text))


def _require(truth: bool, message: str, param: str) -> None:
    if not truth:
        raise Refused(400, message, param=param)


def _check_model(model: Any, models: Mapping[str, int]) -> None:
    _require(isinstance(model, str) and bool(model), "you must provide a model parameter", "model")
    if model not in models:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused(404, message, param="model", code="model_not_found")


def _check_dimensions(body: Mapping[str, Any], models: Mapping[str, int]) -> None:
    dimensions, model = body.get("dimensions"), body["model"]
    if dimensions is None:
        return
    takes = not model.endswith("-ada-002")
    _require(takes, "This model does not support specifying dimensions.", "dimensions")
    whole = isinstance(dimensions, int) and not isinstance(dimensions, bool)
    within = whole and 1 <= dimensions <= models[model]
    _require(within, f"Invalid value for 'dimensions' = {dimensions}.", "dimensions")


def _check_texts(texts: Any, model: str) -> None:
    _require(isinstance(texts, list) and bool(texts), "'$.input' is invalid.", "input")
    _require(len(texts) <= MOST_INPUTS, f"'input' must have at most {MOST_INPUTS} entries.", "input")
    counted = [_tokens_of(text) for text in texts]
    longest = max(counted)
    message = f"This model's maximum context length is {MOST_TOKENS} tokens, however you requested {longest}"
    _require(longest <= MOST_TOKENS, f"{message} tokens. Please reduce your prompt.", "input")
    total = f"Requested {sum(counted)} tokens, max {MOST_TOKENS_IN_SUM} tokens per request for {model}"
    _require(sum(counted) <= MOST_TOKENS_IN_SUM, total, "input")


def _tokens_of(text: Any) -> int:
    _require(isinstance(text, str), "'$.input' is invalid: this server takes text.", "input")
    _require(bool(text), "'$.input' is invalid: input cannot be an empty string.", "input")
    return tokens(text)
