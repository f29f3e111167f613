"""Replies that are asked for twice."""

from dataclasses import dataclass

from gateway.settings.parsers import OFF_OR_SECONDS, seconds_or_off
from gateway.settings.providers import VENDOR_SCHEMES, Provider, living_model
from gateway.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Hedging:
    """When a reply is asked for a second time, and of whom.

    `after_s`: the least wait for the first speakable clause, from the request or from when the caller began
    to wait; it grows where more than `org_share_percent` of an org's replies take longer. None: never for
    being late. `fallback`: the model that is asked then, and when the other one fails; None: the same one,
    for being late alone.
    """

    after_s: float | None = 0.5
    requests_per_call: int = 10
    tokens_per_call: int = 50_000
    org_share_percent: int = 30
    fallback: Provider | None = None


def read_hedging(reader: Reader) -> Hedging:
    """The caps, and who is asked the second time."""
    usual = Hedging()
    numbers = reader.numbers(
        {
            "hedges_per_call": usual.requests_per_call,
            "hedge_tokens_per_call": usual.tokens_per_call,
            "hedge_share_percent": usual.org_share_percent,
        },
        "LLM_",
    )
    return Hedging(
        after_s=reader.parsed("LLM_HEDGE_AFTER_S", f"{usual.after_s}", seconds_or_off, OFF_OR_SECONDS, None),
        requests_per_call=numbers["hedges_per_call"],
        tokens_per_call=numbers["hedge_tokens_per_call"],
        org_share_percent=numbers["hedge_share_percent"],
        fallback=_fallback(reader),
    )


def _fallback(reader: Reader) -> Provider | None:
    """Another model: on the same server under the same key, or on another one under a key of its own."""
    model = living_model(reader, "LLM_FALLBACK_MODEL", "llm", "")
    url = reader.url("LLM_FALLBACK_BASE_URL", "", VENDOR_SCHEMES)
    key = reader.text("LLM_FALLBACK_API_KEY", "", secret=True)
    if bool(url) != bool(key):
        reader.faults.append("LLM_FALLBACK_BASE_URL and LLM_FALLBACK_API_KEY need each other")
    if not model:
        if url:
            reader.faults.append("LLM_FALLBACK_MODEL is missing")
        return None
    return Provider(url, key, model, {})
