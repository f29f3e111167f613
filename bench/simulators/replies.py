"""What a simulated language model answers: text, tool calls, or a fault; and who decides it.

`ScriptedModel` says what a test wrote down; `bench.simulators.receptionist.Receptionist` holds a
conversation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

WireMessage = Mapping[str, Any]
WireTool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `arguments` as a string goes out verbatim, so that a test can send what is no JSON."""

    name: str
    arguments: Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class ChatFault:
    """How one request goes wrong.

    `status`: refuse with this HTTP status (and `Retry-After: retry_after_s` if given).
    `delay_s`: wait so long before the first byte of the answer.
    `then`: what happens after `after_tokens` pieces (of text or of a tool call) have been streamed:
    `stall` nothing more comes; `end` the body ends properly, without finish_reason and [DONE]; `reset` the
    connection breaks; `error` an error event; `finish` finish_reason comes early (at 0 pieces: an empty
    reply); `garbage` lines that are no JSON, then the rest of the reply.
    """

    status: int | None = None
    retry_after_s: float | None = None
    delay_s: float = 0.0
    after_tokens: int = 0
    then: Literal["stall", "end", "reset", "error", "finish", "garbage"] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One completion: text first, then tool calls; either may be absent."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    fault: ChatFault | None = None


class ChatModel(Protocol):
    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        """The completion of a valid request, in wire terms. Raises `ScriptEnded` if there is none."""


class ScriptEnded(Exception):
    """A request came for which the script holds no reply."""


Step = Reply | Callable[[Sequence[WireMessage], Sequence[WireTool]], Reply]


class ScriptedModel:
    """Answers the n-th request with the n-th step; a step may be a function of the request.

    `otherwise` answers what comes after the last step; without it such a request gets a 500 and fails the
    test.
    """

    def __init__(self, steps: Iterable[Step | str], *, otherwise: Step | str | None = None) -> None:
        self._steps = [_step(step) for step in steps]
        self._otherwise = None if otherwise is None else _step(otherwise)
        self.asked = 0

    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        step = self._steps[self.asked] if self.asked < len(self._steps) else self._otherwise
        self.asked += 1
        if step is None:
            raise ScriptEnded(f"the script has no step {self.asked}")
        return step if isinstance(step, Reply) else step(messages, tools)


def _step(step: Step | str) -> Step:
    return Reply(step) if isinstance(step, str) else step
