"""The gateway's errors.

GatewayError
├── SettingsInvalid      the environment makes no sense; the message names every fault in one line
├── MalformedFrame       the carrier's frame is not what its protocol says; counted and skipped
├── UnknownFrame         the carrier's frame is of a kind that its protocol had not when we read it; counted
├── FrameObjected        the carrier says that a frame of ours breaks its rules; `code` is its number; counted
├── ForeignFrame         the carrier's frame names another stream than the one of its socket; likewise
├── LateFrame            the carrier's audio comes again, or after what follows it; counted and dropped
├── TokenRefused         a media token is forged, expired, used or another call's; `reason` says which
├── AudioCallUnknown     the id is none of the org's own audio calls
├── AudioCallOver        the audio call was ended on purpose: it is not taken up again
├── NoRoom               a call more cannot be taken now; `reason` says why
├── OrgUnavailable       the org cannot be told: neither a cache nor the database answered
├── SharedStoreAway      Redis did not answer in time, or not at all
├── CarrierRefused       the carrier's REST interface answered no; `status` is its HTTP status
├── VapiRefused          Vapi's REST interface answered no; `status` and `faults` say what it finds wrong
├── VapiUnavailable      Vapi's REST interface gave no usable answer; it may later
├── VapiSetupRefused     an org cannot be set up at Vapi as it was asked for; the message says why
├── CredentialRefused    an API token is not good; `reason` says why, for the log alone
├── SecretInvalid        what was to be an org's secret is none; the message says how one looks
├── SecretUnknown        the org has no such secret, or it does not open
├── DocumentUnreadable   a clinic's document cannot be read; the message says why, never what stands in it
├── EmbeddingsUnavailable  the embeddings endpoint gave no usable answer; `retryable`: it may later
├── VapiRequestInvalid   a request of Vapi's makes no sense; the message says what it must be
├── CallBusy             somebody else has worked on the call for longer than one can wait
├── RecordingStoreAway   the store of recordings gave no usable answer; it may later
│   └── RecordingGone    it has nothing at that place
├── KeysUnavailable      the keys that API tokens are verified with cannot be had now
└── Refused              ends an API request with a problem (in `gateway.api.problems`)

Messages name the fact, never a number, a word said, a key or a payload.
"""

from collections.abc import Sequence
from typing import Literal


class GatewayError(Exception):
    """Root of what the gateway raises."""


class SettingsInvalid(GatewayError):
    """The environment makes no sense."""


class MalformedFrame(GatewayError):
    """The carrier's frame is not what its protocol says. `reason`: what it is counted as."""

    def __init__(self, fact: str, *, reason: str = "malformed") -> None:
        super().__init__(fact)
        self.reason = reason


class UnknownFrame(GatewayError):
    """The carrier's frame is of a kind that we do not know. Carriers add kinds without notice: no fault."""


class FrameObjected(GatewayError):
    """The carrier refuses a frame of ours. `code`: the carrier's own, "" if it gives none."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ForeignFrame(GatewayError):
    """The carrier's frame names another stream than the one of its socket."""


class LateFrame(GatewayError):
    """The carrier's audio comes a second time, or after what follows it has been heard."""


class TokenRefused(GatewayError):
    """A media token does not admit this call."""

    def __init__(self, reason: Literal["forged", "expired", "foreign", "replayed"]) -> None:
        super().__init__(f"media token {reason}")
        self.reason = reason


class AudioCallUnknown(GatewayError):
    """The id is none of the org's own audio calls."""


class AudioCallOver(GatewayError):
    """The audio call was ended on purpose."""


class NoRoom(GatewayError):
    """A call more cannot be taken now."""

    def __init__(self, reason: Literal["draining", "max_calls"]) -> None:
        super().__init__(f"no room: {reason}")
        self.reason = reason


class OrgUnavailable(GatewayError):
    """The org cannot be told: neither a cache nor the database answered."""


class SharedStoreAway(GatewayError):
    """Redis did not answer in time, or not at all."""


class SecretInvalid(GatewayError):
    """What was to be an org's secret for a provider is none."""


class SecretUnknown(GatewayError):
    """The org has no secret for the provider, or it does not open."""


class DocumentUnreadable(GatewayError):
    """A clinic's document cannot be read."""


class EmbeddingsUnavailable(GatewayError):
    """The embeddings endpoint gave no usable answer. `retry_after_s`: when it asks to be asked again."""

    def __init__(self, fact: str, *, retryable: bool, retry_after_s: float | None = None) -> None:
        super().__init__(f"the embeddings endpoint: {fact}")
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class VapiRequestInvalid(GatewayError):
    """A request of Vapi's makes no sense. The message says what it must be, and is told to Vapi."""


class CredentialRefused(GatewayError):
    """An API token is not good. Whoever sent it is not told why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"API token {reason}")
        self.reason = reason


class CallBusy(GatewayError):
    """Somebody else has worked on the call for longer than one can wait."""


class RecordingStoreAway(GatewayError):
    """The store of recordings gave no usable answer, refused, or is not known. The same may work later."""

    def __init__(self, fact: str) -> None:
        super().__init__(f"the store of recordings: {fact}")


class RecordingGone(RecordingStoreAway):
    """The store of recordings has nothing at that place, or no such bucket."""


class KeysUnavailable(GatewayError):
    """The keys that API tokens are verified with cannot be had now."""


class CarrierRefused(GatewayError):
    """The carrier's REST interface answered no. `body`: in its own words, which may quote numbers."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(f"carrier answered {status}")
        self.status = status
        self.body = body


class VapiRefused(GatewayError):
    """Vapi's REST interface answered no. `faults`: fields and what is wrong with them, in Vapi's words."""

    def __init__(self, status: int, faults: Sequence[str] = ()) -> None:
        super().__init__(f"Vapi answered {status}")
        self.status = status
        self.faults = tuple(faults)


class VapiUnavailable(GatewayError):
    """Vapi's REST interface gave no usable answer. What was to be created may have been."""

    def __init__(self, fact: str) -> None:
        super().__init__(f"Vapi {fact}")


class VapiSetupRefused(GatewayError):
    """An org cannot be set up at Vapi as it was asked for."""
