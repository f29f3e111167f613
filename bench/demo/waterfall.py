"""Where one turn's time went, from the caller's last sound to the reply's first: a few bars on one scale."""

from collections.abc import Mapping
from dataclasses import dataclass

# Each stage: what is shown, and the instants it lies between (`pipeline.events.TurnFinished`).
_STAGES = (
    ("end of turn", "speech_end", "end_of_turn"),
    ("model", "llm_request", "llm_first_token"),
    ("clause", "llm_first_token", "first_clause"),
    ("voice", "tts_request", "tts_first_audio"),
)
_FIRST, _LAST = "speech_end", "first_audio_sent"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage; `start_ms` counts from the caller's last sound, before which a guess may have begun."""

    label: str
    start_ms: float
    length_ms: float


def bars(stages_s: Mapping[str, float]) -> list[Bar]:
    """The stages that have both their instants, in order."""
    zero_s = stages_s.get(_FIRST)
    if zero_s is None:
        return []
    return [
        Bar(label, (stages_s[start] - zero_s) * 1000, (stages_s[end] - stages_s[start]) * 1000)
        for label, start, end in _STAGES
        if start in stages_s and end in stages_s
    ]


def draw(stages_s: Mapping[str, float], width: int = 36, *, ascii_only: bool = False) -> list[str]:
    """One line per stage: label, bar, milliseconds."""
    stages = bars(stages_s)
    ends_s = stages_s.get(_LAST)
    from_ms = min([bar.start_ms for bar in stages], default=0.0)
    until_ms = max([bar.start_ms + bar.length_ms for bar in stages], default=0.0)
    if ends_s is not None:
        until_ms = max(until_ms, (ends_s - stages_s[_FIRST]) * 1000)
    span_ms = until_ms - from_ms
    if span_ms <= 0:
        return []
    return [
        f"{bar.label:<12}{_line(bar, from_ms, span_ms, width, ascii_only):<{width}} {bar.length_ms:6.0f} ms"
        for bar in stages
    ]


def _line(bar: Bar, from_ms: float, span_ms: float, width: int, ascii_only: bool) -> str:
    """A bar never vanishes: what took no time is a tick where it happened."""
    first = min(int((bar.start_ms - from_ms) / span_ms * width + 1e-6), width - 1)
    cells = bar.length_ms / span_ms * width
    if ascii_only:
        return " " * first + "#" * max(1, round(cells))
    whole, part = int(cells), int((cells % 1) * 8)
    drawn = _EIGHTHS[8] * whole + (_EIGHTHS[part] if part else "")
    return " " * first + (drawn or _EIGHTHS[1])
