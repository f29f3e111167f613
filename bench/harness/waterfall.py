"""Where a turn's time goes, stage by stage: medians over turns, in ms after the caller's last voiced sample.
Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.harness.figures import percentile
from bench.harness.results import TurnResult

# What is shown, and the instants it lies between (`pipeline.turn.timeline`).
_STAGES: Final = (
    ("recogniser: guess of the end", "silence", "eager_end"),
    ("recogniser: end of turn", "silence", "end_of_turn"),
    ("gateway: request to the model", "cue", "llm_request"),
    ("model: first token", "llm_request", "llm_first_token"),
    ("model: first clause", "llm_first_token", "first_clause"),
    ("gateway: clause to the voice", "first_clause", "tts_request"),
    ("voice: first audio", "tts_request", "tts_first_audio"),
    ("gateway: audio to the line", "leave", "first_audio_sent"),
    ("line: sent to heard", "first_audio_sent", "heard"),
)


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage over many turns: its median begin, median length and 95th percentile of the length."""

    name: str
    begins_ms: float
    lasts_ms: float
    p95_ms: float


def stage_table(turns: Sequence[TurnResult]) -> list[StageTime]:
    """The stages of which both instants are known in at least one turn, in order."""
    stages = []
    for name, start, end in _STAGES:
        spans = [span for turn in turns if (span := span_ms(turn, start, end)) is not None]
        if spans:
            lasts = [ends - begins for begins, ends in spans]
            begins = percentile([begins for begins, _ in spans], 50)
            stages.append(StageTime(name, begins, percentile(lasts, 50), percentile(lasts, 95)))
    return stages


def spans_of(turn: TurnResult) -> list[tuple[str, float, float]]:
    """One turn's stages: name, begin, end."""
    found = ((name, span_ms(turn, start, end)) for name, start, end in _STAGES)
    return [(name, span[0], span[1]) for name, span in found if span is not None]


def span_ms(turn: TurnResult, start: str, end: str) -> tuple[float, float] | None:
    begins_ms, ends_ms = _at(turn, start), _at(turn, end)
    return None if begins_ms is None or ends_ms is None else (begins_ms, ends_ms)


def _at(turn: TurnResult, instant: str) -> float | None:
    match instant:
        case "silence":
            return 0.0
        case "heard":
            return turn.ttfb_ms
        case "cue":
            return _cue_ms(turn.stages_ms)
        case "leave":
            return _leave_ms(turn.stages_ms)
        case _:
            return turn.stages_ms.get(instant)


def _cue_ms(stages_ms: Mapping[str, float]) -> float | None:
    """What the request followed: the end of the turn, or the guess of it. None for interim words."""
    asked_ms = stages_ms.get("llm_request", 0.0)
    cues = [stages_ms[name] for name in ("eager_end", "end_of_turn") if name in stages_ms]
    return max((cue for cue in cues if cue <= asked_ms), default=None)


def _leave_ms(stages_ms: Mapping[str, float]) -> float | None:
    """When audio was there and might be sent: a guess waits for the end of the turn."""
    if "tts_first_audio" not in stages_ms:
        return None
    return max(stages_ms["tts_first_audio"], stages_ms.get("end_of_turn", 0.0))
