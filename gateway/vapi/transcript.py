"""What was said in a call, as Vapi's report has it. Pure: an artifact in, utterances and turns out.

Vapi docs, "Call analysis" and OpenAPI `Artifact` (read 2026-11). `messages` come with times, their OpenAI
form without, `transcript` as one text of lines that begin with who spoke: the first that is there counts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

MOST_UTTERANCES: Final = 2_000
LONGEST: Final = 5_000
_SPEAKERS: Final[Mapping[str, Literal["caller", "agent"]]] = {
    "user": "caller",
    "customer": "caller",
    "bot": "agent",
    "assistant": "agent",
    "ai": "agent",
}
_LINE: Final = re.compile(r"(AI|Assistant|Bot|User|Customer): ?(.*)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Utterance:
    """`ended_s`: when it had been said, since 1970; None if that is not told."""

    speaker: Literal["caller", "agent"]
    text: str = field(repr=False)
    ended_s: float | None = None


def utterances_of(spoken: Mapping[str, Any]) -> list[Utterance]:
    """In their order, what is empty left out; of a report beyond all measure the beginning."""
    for read in (_messages, _formatted, _lines):
        found = [each for each in read(spoken) if each.text]
        if found:
            return found[:MOST_UTTERANCES]
    return []


def turns_of(utterances: Sequence[Utterance]) -> list[list[Utterance]]:
    """A turn is the caller's words and the answer to them; what comes before the first is the turn 0."""
    turns: list[list[Utterance]] = [[]]
    for each in utterances:
        begins = each.speaker == "caller" and (len(turns) == 1 or turns[-1][-1].speaker == "agent")
        if begins:
            turns.append([])
        turns[-1].append(each)
    return turns


def was_told_since(utterances: Sequence[Utterance], since_s: float) -> bool:
    """Whether the agent has said something to its end since then; without times, whether it spoke last."""
    if any(each.ended_s is not None for each in utterances):
        return any(
            each.speaker == "agent" and each.ended_s is not None and each.ended_s > since_s
            for each in utterances
        )
    return bool(utterances) and utterances[-1].speaker == "agent"


def _messages(spoken: Mapping[str, Any]) -> Iterator[Utterance]:
    for each in _list(spoken.get("messages")):
        speaker = _speaker(each.get("role"))
        if speaker is not None:
            yield Utterance(speaker, _text(each.get("message") or each.get("content")), _ended_s(each))


def _formatted(spoken: Mapping[str, Any]) -> Iterator[Utterance]:
    for each in _list(spoken.get("messagesOpenAIFormatted")):
        speaker = _speaker(each.get("role"))
        if speaker is not None:
            yield Utterance(speaker, _text(each.get("content")))


def _lines(spoken: Mapping[str, Any]) -> Iterator[Utterance]:
    """A line that begins with no speaker goes on with what the one before said."""
    last: Utterance | None = None
    for line in _text(spoken.get("transcript"), LONGEST * 50).splitlines():
        begun = _LINE.fullmatch(line.strip())
        if begun is not None:
            if last is not None:
                yield last
            last = Utterance(_SPEAKERS[begun[1].lower()], begun[2].strip())
        elif last is not None and line.strip():
            last = Utterance(last.speaker, f"{last.text} {line.strip()}"[:LONGEST])
    if last is not None:
        yield last


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _speaker(role: Any) -> Literal["caller", "agent"] | None:
    return _SPEAKERS.get(role) if isinstance(role, str) else None


def _text(value: Any, longest: int = LONGEST) -> str:
    """Without what no text has and no database takes."""
    return _CONTROL.sub(" ", value[:longest]).strip() if isinstance(value, str) else ""


def _ended_s(message: Mapping[str, Any]) -> float | None:
    """`endTime` in ms since 1970, else `time` and the length of it."""
    ended, began, lasted = (_number(message.get(name)) for name in ("endTime", "time", "duration"))
    if ended is not None:
        return ended / 1000
    return None if began is None else (began + (lasted or 0.0)) / 1000


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None
