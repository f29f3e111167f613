"""The pipeline's errors.

PipelineError
├── ProviderError        a vendor failed us; `retryable` says whether the same request may work if sent again
│   ├── ProviderRefused  it answered no: bad key, bad request, retired model, over limit
│   ├── ProviderStalled  nothing came within the deadline
│   └── ProviderDropped  the connection or stream broke before its proper end
├── LineClosed           the caller's line is gone
└── ToolArgumentError    the model's arguments for a tool make no sense

Messages name the provider and the fact; never speech, keys, payloads or the vendor's own text.
"""

from typing import Literal


class PipelineError(Exception):
    """Root of what the pipeline raises."""


class ProviderError(PipelineError):
    """A vendor failed us."""

    def __init__(self, provider: Literal["stt", "llm", "tts"], fault: str, *, retryable: bool) -> None:
        super().__init__(f"{provider}: {fault}")
        self.provider = provider
        self.fault = fault
        self.retryable = retryable


class ProviderRefused(ProviderError):
    """The vendor answered no."""


class ProviderStalled(ProviderError):
    """Nothing came within the deadline."""


class ProviderDropped(ProviderError):
    """The connection or stream broke before its proper end."""


class LineClosed(PipelineError):
    """The caller's line is gone."""


class ToolArgumentError(PipelineError):
    """The model's arguments for a tool make no sense; the message is safe to hand back to the model."""
