"""Flux, the `/v2/listen` state machine: audio in, messages out, nothing but audio time in between, unless it
is given the delays of each turn's end (`TurnEnds`): those are kept to the millisecond by the clock.

Deepgram, "Understanding the Flux State Machine" (developers.deepgram.com/docs/flux/state, read 2026-10):

    Ready --StartOfTurn--> Speaking --EagerEndOfTurn--> Awaiting --EndOfTurn--> Ready
                              ^-------TurnResumed-----------'
    Update about every 0.25 s of audio unless a state change came; EagerEndOfTurn never with an empty
    transcript; the EndOfTurn transcript is that of the EagerEndOfTurn before it; turn_index rises right
    after EndOfTurn.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final, Literal, Protocol

from bench.simulators.deepgram_hearing import RATE_HZ, Hearing, Samples, Word
from bench.simulators.deepgram_parameters import FluxSettings, Refused, checked_flux, too_many_keyterms
from bench.simulators.deepgram_voice import (
    SETTLE_S,
    USUAL_S,
    VoiceTracker,
    at_least,
    end_confidence,
    patience_s,
)

Message = dict[str, Any]
Event = Literal["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]

_UPDATE_S: Final = 0.25
_THRESHOLDS: Final = frozenset({"eot_threshold", "eager_eot_threshold", "eot_timeout_ms"})
_STEP_SAMPLES: Final = 160  # audio is heard in carrier frames, so that its cut into messages changes nothing
_STEP_S: Final = 0.02
_RECENT_MESSAGES: Final = 50  # the clock of the audio is taken from that many


@dataclass(frozen=True, slots=True)
class EndDelays:
    """Seconds from the last voiced sample of a turn to its eager end and to its end."""

    eager_s: float
    end_s: float


class TurnEnds(Protocol):
    """Decides when a turn ends, in place of the machine's own confidence."""

    def after(self, transcript: str) -> EndDelays | None:
        """None for words of which it knows nothing: then the machine decides."""

    def told(self, event: "Event", transcript: str, at_s: float, stream: int) -> None:
        """The client is now being told this (monotonic seconds) on that connection."""


class _AudioClock:
    """When an instant of the audio was spoken: what came with the least delay, lately, says so."""

    def __init__(self) -> None:
        self._heard_s = 0.0
        self._began_s: deque[float] = deque(maxlen=_RECENT_MESSAGES)

    def took(self, duration_s: float) -> None:
        self._heard_s += duration_s
        self._began_s.append(time.monotonic() - self._heard_s)

    async def until(self, audio_s: float) -> None:
        """Wait for that instant of the audio, if it lies ahead."""
        await asyncio.sleep(max(0.0, min(self._began_s) + audio_s - time.monotonic()))


class _State(Enum):
    READY = auto()
    SPEAKING = auto()
    AWAITING = auto()


@dataclass(slots=True)
class _Turn:
    """The open turn, or the silence before the next one."""

    start_s: float
    words: tuple[Word, ...] = ()
    settled: bool = False
    patience_s: float = USUAL_S
    delays: EndDelays | None = None


_numbers = itertools.count(1)


class Flux:
    """One connection. Messages come without `sequence_id` and `request_id`: the server numbers what it
    sends.
    """

    def __init__(self, hearing: Hearing, settings: FluxSettings, ends: TurnEnds | None = None) -> None:
        self.settings = settings
        self._ends = ends
        self._number = next(_numbers)
        self._clock = _AudioClock()
        self._hearing = hearing
        self._voice = VoiceTracker()
        self._state = _State.READY
        self._turn = _Turn(0.0)
        self._turn_index = 0
        self._update_at_s = _UPDATE_S

    async def hear(self, samples: Samples) -> AsyncIterator[Message]:
        """Take audio, int16 mono 8 kHz, and tell what it brought."""
        self._clock.took(samples.size / RATE_HZ)
        for at in range(0, samples.size, _STEP_SAMPLES):
            for window in self._hearing.listen(samples[at : at + _STEP_SAMPLES]):
                self._voice.step(window)
                async for message in self._step():
                    yield message

    async def force_end(self) -> AsyncIterator[Message]:
        """ForceEndTurn: end the open turn now; nothing when none is open."""
        if self._state is _State.READY:
            return
        if not self._turn.settled:
            await self._settle()
        yield self._end("manual")
        self._forget_told()

    async def finish(self) -> AsyncIterator[Message]:
        """CloseStream: what is left of an open turn, as an Update; whether the vendor ends it is not
        documented.
        """
        if self._state is _State.READY:
            return
        if not self._turn.settled:
            await self._settle()
        yield self._info("Update")

    def configure(self, message: Message) -> Message:
        """Apply a Configure; the answer is ConfigureSuccess or ConfigureFailure. Only the fields given
        change.
        """
        try:
            self.settings = _configured(self.settings, message)
        except Refused as refusal:
            return {"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION", "description": str(refusal)}
        return _success(self.settings)

    async def _step(self) -> AsyncIterator[Message]:
        if self._state is _State.READY:
            if self._voice.talking:
                yield self._start()
        elif self._voice.talking:
            self._turn.settled = False
            if self._state is _State.AWAITING:
                self._state = _State.SPEAKING
                yield self._info("TurnResumed")
        elif message := await self._silence():
            yield message
            self._forget_told()
        if at_least(self._voice.now_s, self._update_at_s):
            yield await self._update()

    def _start(self) -> Message:
        self._state = _State.SPEAKING
        self._turn = _Turn(max(self._voice.began_s, self._turn.start_s))
        return self._info("StartOfTurn")

    async def _silence(self) -> Message | None:
        """Nobody speaks in an open turn: is it over, or perhaps over?"""
        silence_s = self._voice.silence_s
        if not self._turn.settled:
            if not at_least(silence_s, SETTLE_S if self._ends is None else 0.0):
                return None
            await self._settle()
        if self._turn.delays is not None:
            return await self._due(self._turn.delays)
        if self._reached(self.settings.eot_threshold):
            return self._end("model")
        if at_least(silence_s, self.settings.eot_timeout_s):
            return self._end("timeout")
        eager = self.settings.eager_eot_threshold
        if (
            eager is None
            or self._state is _State.AWAITING
            or not self._turn.words
            or not self._reached(eager)
        ):
            return None
        self._state = _State.AWAITING
        return self._info("EagerEndOfTurn")

    async def _due(self, delays: EndDelays) -> Message | None:
        """The end, or the eager end, that falls into the frame behind this one: at its very instant."""
        ended_s, next_s = self._voice.last_voice_s, self._voice.silence_s + _STEP_S
        if next_s > delays.end_s:
            await self._clock.until(ended_s + delays.end_s)
            return self._end("model")
        eager = self.settings.eager_eot_threshold is not None and self._state is not _State.AWAITING
        if eager and next_s > delays.eager_s:
            await self._clock.until(ended_s + delays.eager_s)
            self._state = _State.AWAITING
            return self._info("EagerEndOfTurn")
        return None

    def _reached(self, threshold: float) -> bool:
        return threshold < 1.0 and at_least(self._confidence(), threshold)

    async def _settle(self) -> None:
        self._turn.words = await self._hear_words(settled=True)
        self._turn.settled = True
        text = _text(self._turn.words)
        self._turn.patience_s = patience_s(text)
        self._turn.delays = self._ends.after(text) if self._ends else None

    async def _update(self) -> Message:
        if self._state is _State.READY:
            self._hearing.forget(self._voice.clear_s)
        elif not self._turn.settled:
            self._turn.words = await self._hear_words(settled=False)
        return self._info("Update")

    async def _hear_words(self, *, settled: bool) -> tuple[Word, ...]:
        return await self._hearing.words(self._turn.start_s, self._voice.now_s, settled=settled)

    def _end(self, trigger: Literal["model", "manual", "timeout"]) -> Message:
        message = self._info("EndOfTurn") | {"trigger": trigger}
        self._state = _State.READY
        self._turn = _Turn(self._voice.now_s)
        self._turn_index += 1
        return message

    def _forget_told(self) -> None:
        """A turn is over once its end is sent: what a cut connection never told is heard again."""
        if self._state is _State.READY:
            self._hearing.forget(self._turn.start_s)

    def _confidence(self) -> float:
        if self._state is _State.READY or not self._turn.settled:
            return 0.0
        return end_confidence(self._voice.silence_s, self._turn.patience_s)

    def _info(self, event: Event) -> Message:
        self._update_at_s = self._voice.now_s + _UPDATE_S
        if self._ends is not None:
            self._ends.told(event, _text(self._turn.words), time.monotonic(), self._number)
        return {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn_index,
            "audio_window_start": round(self._turn.start_s, 3),
            "audio_window_end": round(self._voice.now_s, 3),
            "transcript": _text(self._turn.words),
            "words": [_word(word) for word in self._turn.words],
            "end_of_turn_confidence": round(self._confidence(), 4),
        }


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _word(word: Word) -> Message:
    return {"word": word.text, "confidence": word.confidence, "start": word.start_s, "end": word.end_s}


def _success(settings: FluxSettings) -> Message:
    thresholds: Message = {
        "eot_threshold": settings.eot_threshold,
        "eot_timeout_ms": round(settings.eot_timeout_s * 1000),
    }
    if settings.eager_eot_threshold is not None:
        thresholds["eager_eot_threshold"] = settings.eager_eot_threshold
    return {
        "type": "ConfigureSuccess",
        "thresholds": thresholds,
        "keyterms": list(settings.keyterms),
        "language_hints": list(settings.language_hints),
        "numerals": settings.numerals,
    }


def _configured(settings: FluxSettings, message: Message) -> FluxSettings:
    """Raises `Refused`."""
    unknown = sorted(set(message) - {"type", "thresholds", "keyterms", "language_hints", "numerals"})
    if unknown:
        raise Refused(f"Unknown field {unknown[0]}.")
    settings = _thresholds(settings, message.get("thresholds") or {})
    if (keyterms := message.get("keyterms")) is not None:
        settings = replace(settings, keyterms=_strings(keyterms, "keyterms"))
        if too_many_keyterms(settings.keyterms):
            raise Refused("Keyterm limit exceeded.")
    if (hints := message.get("language_hints")) is not None:
        if settings.model != "flux-general-multi":
            raise Refused("language_hints are only supported by flux-general-multi.")
        settings = replace(settings, language_hints=_strings(hints, "language_hints"))
    if (numerals := message.get("numerals")) is not None:
        if not isinstance(numerals, bool):
            raise Refused("numerals must be a boolean.")
        settings = replace(settings, numerals=numerals)
    return checked_flux(settings)


def _thresholds(settings: FluxSettings, thresholds: object) -> FluxSettings:
    if not isinstance(thresholds, dict):
        raise Refused("thresholds must be an object.")
    for name, value in thresholds.items():
        if name not in _THRESHOLDS:
            raise Refused(f"Unknown threshold {name}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{name} must be a number.")
    if type(thresholds.get("eot_timeout_ms", 0)) is not int:
        raise Refused("eot_timeout_ms must be an integer.")
    eager = thresholds.get("eager_eot_threshold", settings.eager_eot_threshold)
    return replace(
        settings,
        eot_threshold=thresholds.get("eot_threshold", settings.eot_threshold),
        eager_eot_threshold=eager,
        eot_timeout_s=thresholds.get("eot_timeout_ms", settings.eot_timeout_s * 1000) / 1000,
    )


def _strings(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise Refused(f"{name} must be a list of strings.")
    return tuple(value)
