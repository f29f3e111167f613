"""The instants of one turn, and what follows from them: TTFB and our own share of it."""

from typing import Final, Literal, get_args

Stage = Literal[
    "speech_end",
    "eager_end",
    "end_of_turn",
    "llm_request",
    "llm_first_token",
    "first_clause",
    "tts_request",
    "tts_first_audio",
    "first_audio_sent",
]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
"""In the order in which they come."""

WAITS_OF_OURS: Final[tuple[tuple[Stage, Stage], ...]] = (
    ("end_of_turn", "llm_request"),
    ("first_clause", "tts_request"),
)
"""Between these no provider and no tool works. The third is from audible audio to its sending."""


class Timeline:
    """First instants only: a second token, clause or chunk changes nothing. Monotonic seconds."""

    def __init__(self) -> None:
        self._at_s: dict[Stage, float] = {}
        self._came_s: float | None = None

    def mark(self, stage: Stage, at_s: float) -> None:
        self._at_s.setdefault(stage, at_s)

    def sounded(self, came_s: float, sent_s: float) -> None:
        """The first audible audio of the reply's own words: when it came from its maker, when it was sent."""
        if self._came_s is None:
            self._came_s = came_s
            self.mark("first_audio_sent", sent_s)

    def __contains__(self, stage: Stage) -> bool:
        return stage in self._at_s

    def stages_s(self) -> dict[str, float]:
        return {stage: at_s for stage, at_s in self._at_s.items()}  # noqa: C416

    def ttfb_ms(self) -> float | None:
        """The caller's last voiced frame to the reply's own first audible audio; None if either lacks."""
        return self._between_ms("speech_end", "first_audio_sent")

    def overhead_ms(self) -> float | None:
        """What we added between the providers; None for a turn that was never heard."""
        if self._came_s is None:
            return None
        sending_ms = (self._at_s["first_audio_sent"] - self._came_s) * 1000
        return sending_ms + sum(self._between_ms(start, end) or 0.0 for start, end in WAITS_OF_OURS)

    def _between_ms(self, start: Stage, end: Stage) -> float | None:
        if start not in self._at_s or end not in self._at_s:
            return None
        return (self._at_s[end] - self._at_s[start]) * 1000
