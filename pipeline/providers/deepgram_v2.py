"""Deepgram /v2/listen (Flux): wire messages in, turn events out. Pure.

The recogniser knows turns (Deepgram docs, Flux state machine, read 2026-11): StartOfTurn, Update about every
0.25 s of audio, EagerEndOfTurn, then TurnResumed or EndOfTurn. A transcript is always the whole turn so far.
Times are seconds of audio since the socket opened; `turn_index` and `sequence_id` begin again on each socket.
"""

from math import inf
from typing import Final, Literal

import msgspec

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, SttEvent, TurnResumed
from pipeline.providers.deepgram_config import DeepgramConfig

MISSED_AFTER_S: Final = 1.0
FORCE: Final = '{"type":"ForceEndTurn"}'
_TRIGGERS: Final[dict[str | None, Literal["model", "timeout", "forced"]]] = {
    "timeout": "timeout",
    "manual": "forced",
}


class TurnInfo(msgspec.Struct, tag="TurnInfo"):
    event: str
    audio_window_end: float = 0.0
    transcript: str | None = ""
    trigger: str | None = None


_decoder: Final = msgspec.json.Decoder(TurnInfo)


def decode(data: bytes) -> TurnInfo | None:
    """None for what says nothing of turns (Connected, Warning, Error, types to come) and for garbage."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def query(config: DeepgramConfig) -> list[tuple[str, str]]:
    """Parameters for raw mono audio; an unset threshold is left to the vendor's default."""
    tuned = (
        ("eot_threshold", config.eot_threshold),
        ("eager_eot_threshold", config.eager_eot_threshold),
        ("eot_timeout_ms", config.eot_timeout_ms),
    )
    hints = [("language_hint", config.language)] if config.model.endswith("-multi") else []
    return [
        ("model", config.model),
        ("encoding", config.audio.encoding),
        ("sample_rate", str(config.audio.rate_hz)),
        ("mip_opt_out", "true" if config.mip_opt_out else "false"),
        *((name, str(value)) for name, value in tuned if value is not None),
        *(("keyterm", term) for term in config.keyterms),
        *hints,
    ]


class FluxTurns:
    """Passes turns on, across sockets: a turn that a lost socket had open is not announced twice."""

    def __init__(self) -> None:
        self.open = False
        self.covered_s = 0.0  # audio of this socket before this instant belongs to ended turns
        self.heard_s = 0.0  # up to here `text` reaches
        self._carried = ""  # words of the open turn whose audio is too old to be replayed
        self._known = ""
        self._eager = False
        self._missed_at_s = inf

    @property
    def text(self) -> str:
        """The whole open turn as known now."""
        return self._known

    def receive(self, data: bytes) -> list[SttEvent] | None:
        """The events of one wire message; None if it says nothing of turns."""
        message = decode(data)
        return None if message is None else self.handle(message)

    def listened(self, until_s: float, *, loud: bool, eager_silence_s: float) -> list[SttEvent]:
        """Audio up to this instant is on its way. Nothing is made of it: Flux tells eager ends itself."""
        return []

    def force(self) -> None:
        """A ForceEndTurn was sent; the EndOfTurn that answers it says so itself."""

    def give_up(self, trigger: Literal["timeout", "forced"]) -> list[SttEvent]:
        """End the open turn with the words known. What this socket still says of it must not be handled."""
        return self._end(self._known, trigger)

    def socket_lost(self, *, front_lost: bool) -> list[SttEvent]:
        """A new socket, whose times begin at 0, will hear again what came after `covered_s`; or, if the front
        of that is no longer kept, what came after `heard_s`.
        """
        self._carried = self._known if front_lost else self._carried
        self.heard_s = self.covered_s = 0.0
        return self._resume()

    def socket_opened(self, replayed_s: float) -> None:
        """If the open turn is not heard again in the replay, it was over, or was noise: then it ends
        there.
        """
        self._missed_at_s = replayed_s + MISSED_AFTER_S if self.open else inf

    def handle(self, message: TurnInfo) -> list[SttEvent]:
        self.heard_s = message.audio_window_end
        transcript = (message.transcript or "").strip()
        if transcript or message.event == "StartOfTurn":
            self._missed_at_s = inf
        if message.audio_window_end >= self._missed_at_s:
            self.covered_s = message.audio_window_end
            return self._end(self._known, "timeout")
        match message.event:
            case "StartOfTurn":
                return [*self._start(), *self._show(transcript)]
            case "Update":
                return self._show(transcript)
            case "EagerEndOfTurn":
                return self._suspend(transcript)
            case "TurnResumed":
                return [*self._resume(), *self._show(transcript)]
            case "EndOfTurn":
                self.covered_s = message.audio_window_end
                started = self._start() if transcript else []
                text = self._whole(transcript) or self._known
                return [*started, *self._end(text, _TRIGGERS.get(message.trigger, "model"))]
            case _:
                return []

    def _whole(self, transcript: str) -> str:
        return f"{self._carried} {transcript}".strip() if transcript else self._carried

    def _start(self) -> list[SttEvent]:
        if self.open:
            return []
        self.open = True
        return [SpeechStarted()]

    def _show(self, transcript: str) -> list[SttEvent]:
        text = self._whole(transcript)
        if not transcript or text == self._known:
            return []
        self._known = text
        return [*self._start(), *self._resume(), InterimTranscript(text)]

    def _suspend(self, transcript: str) -> list[SttEvent]:
        text = self._whole(transcript)
        if not text or self._eager:
            return []
        self._eager, self._known = True, text
        return [*self._start(), EagerEndOfTurn(text)]

    def _resume(self) -> list[SttEvent]:
        if not self._eager:
            return []
        self._eager = False
        return [TurnResumed()]

    def _end(self, text: str, trigger: Literal["model", "timeout", "forced"]) -> list[SttEvent]:
        if not self.open:
            return []
        self.open = self._eager = False
        self._missed_at_s = inf
        self._known = self._carried = ""
        return [EndOfTurn(text, trigger)]
