"""The environment, parsed once into frozen dataclasses; nonsense stops the start, one line naming every
fault.

`.env` is read beneath the environment. Each wait and limit is a field of `Waits` or `Limits` and is set
by the variable of the same name in capitals; likewise the conversation's,
`pipeline.runner.ConversationSettings`, and, with the provider's name before them, the adapters' waits.
"""

from gateway.settings.api_tokens import ApiTokens
from gateway.settings.carriers import Plivo, Telnyx, Twilio, Vonage
from gateway.settings.embeddings import Embeddings
from gateway.settings.hedging import Hedging
from gateway.settings.jobs import Jobs
from gateway.settings.limits import Limits
from gateway.settings.loading import (
    is_local_bench,
    latency_rules,
    load,
    load_library,
    redis_url,
    variables,
)
from gateway.settings.otel import Otel
from gateway.settings.providers import Provider, ProviderKind
from gateway.settings.reader import Variable
from gateway.settings.recordings import Recordings
from gateway.settings.shape import Settings
from gateway.settings.speedups import Speedups
from gateway.settings.stores import Library
from gateway.settings.turbo import Turbo
from gateway.settings.vapi import Vapi
from gateway.settings.waits import Waits

__all__ = [
    "ApiTokens",
    "Embeddings",
    "Hedging",
    "Jobs",
    "Library",
    "Limits",
    "Otel",
    "Plivo",
    "Provider",
    "ProviderKind",
    "Recordings",
    "Settings",
    "Speedups",
    "Telnyx",
    "Turbo",
    "Twilio",
    "Vapi",
    "Variable",
    "Vonage",
    "Waits",
    "is_local_bench",
    "latency_rules",
    "load",
    "load_library",
    "redis_url",
    "variables",
]
