"""What the pipeline asks of the world, as narrow Protocols.

Adapters live in `pipeline.providers` and in the gateway.

Rules for every implementation: cancelling a coroutine leaves nothing running; a fault is raised as a
`pipeline.errors.ProviderError` that says whether a retry can help; nothing here blocks the event loop.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pipeline.events import JournalEvent, LlmEvent, SttEvent, TtsEvent


class Clock(Protocol):
    """Monotonic seconds; an object, so that a test can own it."""

    def now_s(self) -> float: ...


# --- hearing ------------------------------------------------------------------------------------------------


class SttSession(Protocol):
    """One call's recogniser: raw audio in, by default mu-law at 8 kHz, turn events out, across reconnects of
    the vendor's socket.
    """

    async def send_audio(self, audio: bytes) -> None:
        """Hand over caller audio as it came, whole samples. Never waits on the network for longer than a
        frame.
        """

    def events(self) -> AsyncIterator[SttEvent]:
        """Turn events until the session is closed. Raises `ProviderError` when it cannot be kept up."""

    async def force_end_of_turn(self) -> None:
        """Ask for an `EndOfTurn` of the open turn now; ignored when none is open."""


@runtime_checkable
class TakesKeyterms(Protocol):
    """What an `SttSession` may also be able to do."""

    async def set_keyterms(self, terms: Sequence[str]) -> None:
        """Words to expect from now on, foremost first, in place of earlier ones; those too many are left
        out. Changes nothing if the vendor will not have them.
        """


class SpeechToText(Protocol):
    def session(self) -> AbstractAsyncContextManager[SttSession]:
        """Opens the vendor's socket; leaving the context closes it within a bounded time."""


# --- thinking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the history, in chat-completions terms. `tool_calls`: (id, name, JSON) of an assistant."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[tuple[str, str, str], ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What the model is told of a tool. `effectful` ones run once the turn is committed, and to their end."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    effectful: bool


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`content` (JSON text, raw) is the model's; `outcome`, `detail` are public: short names, safe values."""

    content: str
    outcome: str
    detail: Mapping[str, str] = field(default_factory=dict)


class Tool(Protocol):
    @property
    def spec(self) -> ToolSpec: ...

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Do it. Expected failures (slot taken) are results. Raises `ToolArgumentError`."""


@runtime_checkable
class Remembers(Protocol):
    """What a `Tool` may also be able to do: one without effect may still remember what it has told."""

    def memory(self) -> Callable[[], None]:
        """What puts its memory back to what it is now, for when the caller never hears what it tells next."""


class LanguageModel(Protocol):
    def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> AsyncIterator[LlmEvent]:
        """Stream one completion, ended by one `ReplyFinished`. Closing the iterator cancels the request."""

    async def warm_up(self) -> None:
        """Open the connection that the next request will use. Never raises."""


@runtime_checkable
class Heeds(Protocol):
    """What a `LanguageModel` may also be able to do: one that asks again for a late reply goes by the
    caller's clock, not by its own.
    """

    def caller_waits(self, waits: bool) -> None:
        """Whether the caller has stopped speaking, as far as the recogniser can tell; true at first."""


@runtime_checkable
class Informs(Protocol):
    """What a `LanguageModel` may also be able to do. The time that it takes is ours, not the model's."""

    async def informed(self, messages: Sequence[Message]) -> Sequence[Message]:
        """What `reply` is to be given in place of these. Never raises; has a deadline of its own."""


# --- speaking -----------------------------------------------------------------------------------------------


class TtsContext(Protocol):
    """The speech of one turn: text pushed clause by clause, audio out in order, prosody carried over."""

    async def push(self, text: str) -> None:
        """Append text, joined verbatim (spaces included)."""

    async def finish(self) -> None:
        """No more text."""

    def events(self) -> AsyncIterator[TtsEvent]:
        """Audio and word times, ending with `SpeechFinished`. Raises `ProviderError` on fault or stall."""

    def cancel(self) -> None:
        """Stop: no event of this context is delivered from now on, whatever the vendor still sends."""


class TextToSpeech(Protocol):
    def context(self) -> AbstractAsyncContextManager[TtsContext]:
        """One turn's context on a shared, warm socket; leaving it cancels what is unfinished."""

    async def warm_up(self) -> None:
        """Open the socket that the next context will use. Never raises."""


# --- the line and the record --------------------------------------------------------------------------------


class Line(Protocol):
    """The caller's line as the pipeline sees it. Each method returns once the bytes are with the socket."""

    async def play(self, mulaw: bytes) -> None:
        """Queue agent audio (mu-law, 8 kHz) on the carrier at once. Raises `LineClosed`."""

    async def mark(self, name: str) -> None:
        """Label what is queued; the mark returns through `CallRunner.mark_reached`. Raises `LineClosed`."""

    async def clear(self) -> None:
        """Drop what is queued at the carrier. Raises `LineClosed`."""

    async def hang_up(self, reason: str) -> None:
        """End the call. Never raises."""


class Redactor(Protocol):
    """One call's redactor: knows the question that a bare answer belongs to ("the fourth of May")."""

    def caller(self, text: str) -> str:
        """The public form of one whole caller turn."""

    def agent(self, text: str) -> str:
        """The public form of a piece of agent speech; what was asked sets what is expected next."""


class Journal(Protocol):
    def record(self, event: JournalEvent) -> None:
        """Take one public fact of the call. Returns at once; never raises."""
