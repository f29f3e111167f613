"""What the model is told has been said: the caller's turns, and of ours only what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.events import ToolCall
from pipeline.ports import Message

INTERRUPTED = '{"error": "interrupted before it ran"}'
PENDING = '{"status": "still running"}'
RESUME = (
    "The last sound from the caller was noise without words. Go on where you were interrupted; "
    "tell the caller the outcome of anything done meanwhile."
)


@dataclass(slots=True)
class Step:
    """One completion of the model: what it said, and the tools it called with what came back."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: dict[str, str] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def messages(self) -> list[Message]:
        text = self.text.strip()
        if not self.calls:
            return [Message("assistant", text)] if text else []
        calls = tuple((call.id, call.name, call.arguments or "{}") for call in self.calls)
        answers = [Message("tool", self._result(call.id), tool_call_id=call.id) for call in self.calls]
        return [Message("assistant", text, tool_calls=calls), *answers]

    def _result(self, call_id: str) -> str:
        return self.results.get(call_id) or (PENDING if call_id in self.running else INTERRUPTED)


@dataclass(slots=True)
class _CallerTurn:
    text: str

    def messages(self) -> list[Message]:
        return [Message("user", self.text)]


class Conversation:
    """The history of one call, in order. Every tool call in it has an answer, whatever became of the turn."""

    def __init__(self, system_prompt: str, earlier: Sequence[Message] = ()) -> None:
        """`earlier`: what was said in the call before this conversation of it, as `messages` told it."""
        self._before_all = (Message("system", system_prompt), *earlier)
        self._entries: list[_CallerTurn | Step] = []
        self._call_ids = {call[0] for message in earlier for call in message.tool_calls}

    def draft(self, text: str) -> "Draft":
        """The history as it would go on if the caller had said this; `adopt` makes it so."""
        return Draft(self, text)

    def adopt(self, draft: "Draft", said: str) -> None:
        """The caller did, in these very words: what was drafted is history."""
        self._entries += draft.entries(said)

    def caller_said(self, text: str) -> None:
        self._entries.append(_CallerTurn(text))

    def new_step(self) -> Step:
        """Our next say, empty yet. An abandoned one leaves no trace."""
        step = Step()
        self._entries.append(step)
        return step

    def drop(self, step: Step) -> None:
        """This step is taken back: it came to nothing and is tried again."""
        self._entries = [entry for entry in self._entries if entry is not step]

    def unique(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """The calls with ids that are unique in this call, as some servers repeat or omit them."""
        return tuple(ToolCall(self._unique_id(call.id), call.name, call.arguments) for call in calls)

    def _unique_id(self, proposed: str) -> str:
        stem, number = proposed or "call", 1
        unique = stem if proposed else f"{stem}_1"
        while unique in self._call_ids:
            number += 1
            unique = f"{stem}_{number}"
        self._call_ids.add(unique)
        return unique

    def messages(self, *, resume: bool = False) -> list[Message]:
        """The history as the model gets it; turns of one side in a row are one message."""
        merged = [*self._before_all]
        for message in (message for entry in self._entries for message in entry.messages()):
            if _same_say(merged[-1], message):
                merged[-1] = Message(message.role, f"{merged[-1].content} {message.content}")
            else:
                merged.append(message)
        return [*merged, Message("system", RESUME)] if resume else merged


class Draft(Conversation):
    """A history beside the call's own, which must not grow meanwhile. Ids of tool calls stay unique."""

    def __init__(self, history: Conversation, text: str) -> None:
        self._before_all = history._before_all
        self._before = len(history._entries)
        self._entries = [*history._entries, _CallerTurn(text)]
        self._call_ids = history._call_ids

    def entries(self, said: str) -> "list[_CallerTurn | Step]":
        """What was drafted, with what the caller really said in front."""
        return [_CallerTurn(said), *self._entries[self._before + 1 :]]


def _same_say(before: Message, after: Message) -> bool:
    plain = not before.tool_calls and not after.tool_calls
    return plain and before.role == after.role and before.role in ("user", "assistant")
