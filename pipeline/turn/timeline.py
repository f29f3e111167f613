"""The instants of one turn, and what follows from them: TTFB, our share of it, how long each stage took."""

from collections.abc import Mapping
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
"""In the order in which they come, unless the reply was begun on a guess."""

_BEGINS: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    "eager_end": ("speech_end",),
    "end_of_turn": ("speech_end",),
    "llm_request": ("eager_end", "end_of_turn"),
    "llm_first_token": ("llm_request",),
    "first_clause": ("llm_first_token",),
    "tts_request": ("first_clause",),
    "tts_first_audio": ("tts_request",),
    "first_audio_sent": ("tts_first_audio", "end_of_turn"),
}
"""What each stage waits for; of two, whichever came last before it: a request follows the guess or the end of
the turn, and audio made on a guess is not sent before that end.
"""


class Timeline:
    """First instants only: a second token, clause or chunk changes nothing. Monotonic seconds.

    Instants are true: of a reply begun on a guess, `llm_request` and what follows may lie before
    `end_of_turn`. `began_s` is when that reply was ordered; without it, the end of the turn.
    """

    def __init__(self, began_s: float | None = None) -> None:
        self._at_s: dict[Stage, float] = {}
        self._began_s = began_s
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
        """In the order in which they came."""
        in_order = sorted(self._at_s, key=lambda stage: (self._at_s[stage], STAGES.index(stage)))
        return {stage: self._at_s[stage] for stage in in_order}

    def ttfb_ms(self) -> float | None:
        """The caller's last voiced frame to the reply's own first audible audio; None if either lacks."""
        return self._between_ms("speech_end", "first_audio_sent")

    def overhead_ms(self) -> float | None:
        """What we added between the providers; None for a turn that was never heard.

        No provider and no tool works from the order to reply to the request, from the clause to its being
        handed over, and from audible audio to its sending. Audio that came before the end of the turn had to
        wait for that: then only what follows counts, as nothing before delayed the caller.
        """
        if self._came_s is None:
            return None
        ended_s = self._at_s.get("end_of_turn", self._came_s)
        sending_ms = (self._at_s["first_audio_sent"] - max(self._came_s, ended_s)) * 1000
        return sending_ms + (self._making_ms() if self._came_s >= ended_s else 0.0)

    def _making_ms(self) -> float:
        clause_ms = self._between_ms("first_clause", "tts_request") or 0.0
        if self._began_s is None or "llm_request" not in self._at_s:
            return clause_ms + (self._between_ms("end_of_turn", "llm_request") or 0.0)
        return clause_ms + (self._at_s["llm_request"] - self._began_s) * 1000

    def _between_ms(self, start: Stage, end: Stage) -> float | None:
        if start not in self._at_s or end not in self._at_s:
            return None
        return (self._at_s[end] - self._at_s[start]) * 1000


def stage_lengths(stages_s: Mapping[str, float]) -> dict[Stage, float]:
    """How long each stage took, in seconds: from what it waits for to its own instant.

    Stages of which neither beginning is known before their end are left out: a request begun on interim words
    follows no sign of the end.
    """
    lengths: dict[Stage, float] = {}
    for stage, begins in _BEGINS.items():
        if stage in stages_s:
            ends_s = stages_s[stage]
            since_s = [stages_s[each] for each in begins if each in stages_s and stages_s[each] <= ends_s]
            if since_s:
                lengths[stage] = ends_s - max(since_s)
    return lengths
