"""Deepgram /v1/listen (Nova and older): wire messages in, turn events out. Pure.

The recogniser knows spans, not turns (Deepgram docs, endpointing and interim results, read 2026-11):
`is_final` settles a span, `speech_final` says that silence followed it, `UtteranceEnd` that no word came for
a while. A turn is every settled span until one of those two. It tells no eager end of a turn: that is ours,
an early silence behind words that reach up to it. Times are seconds of audio since the socket opened.
"""

from math import inf
from typing import Final, Literal

import msgspec

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, SttEvent, TurnResumed
from pipeline.providers.deepgram_config import DeepgramConfig

FORCE: Final = '{"type":"Finalize"}'
MISSED_AFTER_S: Final = 1.0
KEEP_ALIVE: Final = '{"type":"KeepAlive"}'


class Alternative(msgspec.Struct):
    transcript: str = ""


class Channel(msgspec.Struct):
    alternatives: list[Alternative] = []


class Results(msgspec.Struct, tag="Results"):
    start: float
    duration: float
    channel: Channel
    is_final: bool = False
    speech_final: bool | None = False
    from_finalize: bool | None = False

    @property
    def text(self) -> str:
        return self.channel.alternatives[0].transcript.strip() if self.channel.alternatives else ""

    @property
    def end(self) -> float:
        return self.start + self.duration


class VadStarted(msgspec.Struct, tag="SpeechStarted"):
    timestamp: float = 0.0


class UtteranceEnd(msgspec.Struct, tag="UtteranceEnd"):
    last_word_end: float = 0.0


NovaMessage = Results | VadStarted | UtteranceEnd
_decoder: Final[msgspec.json.Decoder[NovaMessage]] = msgspec.json.Decoder(NovaMessage)
_OLDER_MODELS: Final = ("nova-2", "nova-phonecall", "nova-medical", "enhanced", "base")


def decode(data: bytes) -> NovaMessage | None:
    """None for what says nothing of turns (Metadata, Error, types to come) and for garbage."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def query(config: DeepgramConfig) -> list[tuple[str, str]]:
    """Parameters for raw mono audio. `smart_format` stays off: it holds a final back for up to 3 s."""
    old = config.model == "nova" or config.model.startswith(_OLDER_MODELS)
    return [
        ("model", config.model),
        ("language", config.language),
        ("encoding", config.audio.encoding),
        ("sample_rate", str(config.audio.rate_hz)),
        ("channels", "1"),
        ("interim_results", "true"),
        ("punctuate", "true"),
        ("endpointing", str(config.endpointing_ms)),
        ("utterance_end_ms", str(config.utterance_end_ms)),
        ("vad_events", "true"),
        ("mip_opt_out", "true" if config.mip_opt_out else "false"),
        *(("keywords" if old else "keyterm", term) for term in config.keyterms),
    ]


class NovaTurns:
    """Assembles turns, across sockets: what was settled on a lost one opens the turn's text on the next."""

    def __init__(self) -> None:
        self.open = False
        self.covered_s = 0.0  # audio of this socket before this instant is settled and needs no replay
        self.heard_s = 0.0  # up to here `text` reaches
        self._settled: list[str] = []
        self._interim = ""
        self._shown = ""
        self._opened_at_s = 0.0
        self._forced = False
        self._missed_at_s = inf
        self._loud_s: float | None = None
        self._eager = False

    @property
    def text(self) -> str:
        """The whole open turn as known now."""
        return " ".join(part for part in (*self._settled, self._interim) if part)

    def receive(self, data: bytes) -> list[SttEvent] | None:
        """The events of one wire message; None if it says nothing of turns."""
        message = decode(data)
        return None if message is None else self.handle(message)

    def handle(self, message: NovaMessage) -> list[SttEvent]:
        match message:
            case Results():
                return self._results(message)
            case VadStarted():
                return self._start(message.timestamp)
            case UtteranceEnd():
                stale = not self.text and message.last_word_end <= self._opened_at_s
                return [] if stale else self._end("timeout")

    def listened(self, until_s: float, *, loud: bool, eager_silence_s: float) -> list[SttEvent]:
        """Audio up to this instant is on its way. Loud or not, by our own ear, as Nova's tells too late."""
        if loud:
            self._loud_s = until_s
        if loud or self._loud_s is None or self._eager or not (self.open and self.text):
            return []
        if self.heard_s < self._loud_s or until_s - self._loud_s < eager_silence_s - 1e-9:
            return []
        self._eager = True
        return [EagerEndOfTurn(self.text)]

    def force(self) -> None:
        """A Finalize was sent: its answer ends the turn even without `speech_final`."""
        self._forced = self.open

    def give_up(self, trigger: Literal["timeout", "forced"]) -> list[SttEvent]:
        """End the open turn with the words known. What this socket still says of it must not be handled."""
        return self._end(trigger)

    def socket_lost(self, *, front_lost: bool) -> list[SttEvent]:
        """A new socket, whose times begin at 0, will hear again what came after `covered_s`; or, if the front
        of that is no longer kept, what came after `heard_s`.
        """
        if front_lost and self._interim:
            self._settled.append(self._interim)
        self._interim = self._shown = ""
        self._opened_at_s = self.covered_s = self.heard_s = 0.0
        self._loud_s = None
        return self._resume()

    def socket_opened(self, replayed_s: float) -> None:
        """If the open turn is not heard again in the replay, it was over, or was noise: then it ends
        there.
        """
        self._missed_at_s = replayed_s + MISSED_AFTER_S if self.open else inf

    def _results(self, message: Results) -> list[SttEvent]:
        self.heard_s = max(self.heard_s, message.end)
        events = self._start(message.start) if message.text else []
        self._take(message)
        if message.end >= self._missed_at_s:
            return self._end("timeout")
        if message.text and self.text != self._shown:
            self._shown = self.text
            events += [*self._resume(), InterimTranscript(self._shown)]
        return events + self._ended_by(message)

    def _take(self, message: Results) -> None:
        self._interim = "" if message.is_final else message.text
        if message.is_final:
            self.covered_s = max(self.covered_s, message.end)
            if message.text:
                self._settled.append(message.text)

    def _ended_by(self, message: Results) -> list[SttEvent]:
        about_this_turn = bool(self.text) or message.end > self._opened_at_s
        if message.from_finalize and self._forced:
            return self._end("forced")
        return self._end("model") if message.speech_final and about_this_turn else []

    def _resume(self) -> list[SttEvent]:
        if not self._eager:
            return []
        self._eager = False
        return [TurnResumed()]

    def _start(self, at_s: float) -> list[SttEvent]:
        self._missed_at_s = inf
        if self.open:
            return []
        self.open = True
        self._opened_at_s = at_s
        return [SpeechStarted()]

    def _end(self, trigger: Literal["model", "timeout", "forced"]) -> list[SttEvent]:
        if not self.open:
            return []
        ended = EndOfTurn(self.text, trigger)
        self.open = self._forced = self._eager = False
        self._missed_at_s = inf
        self._settled, self._interim, self._shown = [], "", ""
        return [ended]
