"""Nova, `/v1/listen`: audio in, messages out, nothing but audio time in between.

Deepgram, "Interim Results", "Endpointing", "Utterance End", "Finalize", "Smart Formatting" under
developers.deepgram.com/docs, read 2026-10. A span is the audio between two finals. What a client must cope
with is made to happen: empty transcripts, finals without `speech_final` in long speech and the empty
`speech_final` after them, the three seconds that smart formatting waits for a number to go on.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.simulators.deepgram_hearing import Hearing, Samples, Window, Word
from bench.simulators.deepgram_parameters import NovaSettings, too_many_keyterms
from bench.simulators.deepgram_voice import SETTLE_S, VoiceTracker, at_least, trailing_digits

Message = dict[str, Any]

_INTERIM_S: Final = 1.0
_EMPTY_SPAN_S: Final = 3.0  # silence is settled, wordless, this often
_LONG_SPAN_S: Final = 3.0  # a pause in more speech than this settles it
_UNENDED_SPAN_S: Final = 1.0  # silence that settles a span when endpointing is off
_NUMBER_HOLD_S: Final = 3.0
_STEP_SAMPLES: Final = 160  # audio is heard in carrier frames, so that its cut into messages changes nothing


@dataclass(slots=True)
class _Span:
    """The audio since the last final."""

    start_s: float
    speech_s: float | None = None  # where its speech began
    words: tuple[Word, ...] = ()
    settled: bool = False
    spoken_before: bool = False  # the utterance began in an earlier span and has not had its `speech_final`


class Nova:
    """One connection. The server adds `metadata` and sends."""

    def __init__(self, hearing: Hearing, settings: NovaSettings) -> None:
        self.settings = settings
        self._hearing = hearing
        self._voice = VoiceTracker()
        self._span = _Span(0.0)
        self._interim_at_s = _INTERIM_S
        self._told_s = 0.0  # what was said before has been told: forgotten once sent
        self._last_word_s: float | None = None  # of words whose UtteranceEnd is due

    async def hear(self, samples: Samples) -> AsyncIterator[Message]:
        """Take audio, int16 mono 8 kHz, and tell what it brought."""
        for at in range(0, samples.size, _STEP_SAMPLES):
            for window in self._hearing.listen(samples[at : at + _STEP_SAMPLES]):
                async for message in self._step(window):
                    yield message

    async def finalize(self) -> AsyncIterator[Message]:
        """Finalize: flush the span. No answer when it holds no speech; the vendor promises none either."""
        if self._span.speech_s is not None:
            yield await self._flush(from_finalize=True)
            self._hearing.forget(self._told_s)

    async def finish(self) -> AsyncIterator[Message]:
        """CloseStream or an empty frame: what is left."""
        if self._span.speech_s is not None:
            yield await self._flush(from_finalize=False)

    def configure(self, message: Message) -> Message:
        """Apply a Configure; the answer is ConfigureSuccess or ConfigureFailure."""
        keyterms = message.get("keyterms")
        if keyterms is None:
            return {"type": "ConfigureSuccess"}
        if not self.settings.takes_keyterms:
            return _failure("CONFIGURE_KEYTERMS_NOT_SUPPORTED", "The model does not support keyterms.")
        if too_many_keyterms(keyterms):
            return _failure("CONFIGURE_KEYTERM_LIMIT_EXCEEDED", "At most 500 tokens are allowed.")
        return {"type": "ConfigureSuccess", "keyterms": keyterms}

    async def _step(self, window: Window) -> AsyncIterator[Message]:
        self._voice.step(window)
        if self._voice.talking:
            if started := self._talk():
                yield started
        elif final := await self._pause():
            yield final
            self._hearing.forget(self._told_s)
        elif ended := self._utterance_end():
            yield ended
        if at_least(self._voice.now_s, self._interim_at_s):
            self._interim_at_s = self._voice.now_s + _INTERIM_S
            if self.settings.interim_results:
                yield await self._interim()

    def _talk(self) -> Message | None:
        span = self._span
        span.settled = False
        self._last_word_s = None
        if span.speech_s is not None:
            return None
        span.speech_s = max(self._voice.began_s, span.start_s)
        if not self.settings.vad_events or span.spoken_before or not self._voice.onset:
            return None
        return {"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(span.speech_s, 3)}

    async def _pause(self) -> Message | None:
        span = self._span
        silence_s = self._voice.silence_s
        if span.speech_s is None:
            return self._quiet(silence_s)
        if not span.settled:
            if not at_least(silence_s, self._settle_after_s()):
                return None
            await self._settle()
            if self._voice.now_s - span.speech_s >= _LONG_SPAN_S and not self._is_end(silence_s):
                return self._final(speech_final=False)
        if self._is_end(silence_s):
            return self._final(speech_final=True)
        if self.settings.endpointing_s is None and at_least(silence_s, _UNENDED_SPAN_S):
            return self._final(speech_final=False)
        return None

    def _quiet(self, silence_s: float) -> Message | None:
        """A span without speech: the end of an utterance whose words were settled before, or nothing at
        all.
        """
        endpointing_s = self.settings.endpointing_s
        if self._span.spoken_before and endpointing_s is not None and at_least(silence_s, endpointing_s):
            return self._final(speech_final=True)
        if at_least(self._voice.now_s - self._span.start_s, _EMPTY_SPAN_S):
            return self._final(speech_final=False)
        return None

    def _settle_after_s(self) -> float:
        endpointing_s = self.settings.endpointing_s
        return SETTLE_S if endpointing_s is None else min(SETTLE_S, endpointing_s)

    def _is_end(self, silence_s: float) -> bool:
        endpointing_s = self.settings.endpointing_s
        if endpointing_s is None:
            return False
        return at_least(silence_s, max(endpointing_s, _NUMBER_HOLD_S) if self._holds() else endpointing_s)

    def _holds(self) -> bool:
        """Smart formatting waits for the rest of a number."""
        if not self.settings.smart_format or self.settings.no_delay:
            return False
        return trailing_digits(" ".join(word.text for word in self._span.words)) > 0

    def _utterance_end(self) -> Message | None:
        after_s = self.settings.utterance_end_s
        if after_s is None or self._last_word_s is None or not at_least(self._voice.silence_s, after_s):
            return None
        last_word_s, self._last_word_s = self._last_word_s, None
        return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word_s}

    async def _interim(self) -> Message:
        if not self._span.settled:
            self._span.words = await self._words(settled=False)
        return self._results(is_final=False, speech_final=False)

    async def _flush(self, *, from_finalize: bool) -> Message:
        if not self._span.settled:
            await self._settle()
        return self._final(speech_final=True, from_finalize=from_finalize)

    async def _settle(self) -> None:
        self._span.words = await self._words(settled=True)
        self._span.settled = True

    async def _words(self, *, settled: bool) -> tuple[Word, ...]:
        if self._span.speech_s is None:
            return ()
        return await self._hearing.words(self._span.speech_s, self._voice.now_s, settled=settled)

    def _final(self, *, speech_final: bool, from_finalize: bool = False) -> Message:
        """Close the span. Its words are settled, or it has none."""
        message = self._results(is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        span, now_s = self._span, self._voice.now_s
        if span.words:
            self._last_word_s = span.words[-1].end_s
        self._told_s = self._voice.clear_s if span.speech_s is None else now_s
        spoken = span.speech_s is not None or span.spoken_before
        unended = spoken and not speech_final and self.settings.endpointing_s is not None
        self._span = _Span(now_s, spoken_before=unended)
        self._interim_at_s = now_s + _INTERIM_S
        return message

    def _results(self, *, is_final: bool, speech_final: bool, from_finalize: bool = False) -> Message:
        span = self._span
        words = [self._word(word) for word in span.words]
        shown = "punctuated_word" if self.settings.punctuate else "word"
        alternative = {
            "transcript": " ".join(word[shown] for word in words),
            "confidence": _mean_confidence(span.words),
            "words": words,
        }
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": round(span.start_s, 3),
            "duration": round(self._voice.now_s - span.start_s, 3),
            "is_final": is_final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative]},
        }

    def _word(self, word: Word) -> Message:
        plain = word.text.lower().strip(".,?!;:\"'")
        shown: Message = {"word": plain or word.text, "start": word.start_s, "end": word.end_s}
        shown["confidence"] = word.confidence
        if self.settings.punctuate:
            shown["punctuated_word"] = word.text
        return shown


def _failure(code: str, description: str) -> Message:
    return {"type": "ConfigureFailure", "code": code, "description": description}


def _mean_confidence(words: Sequence[Word]) -> float:
    return round(sum(word.confidence for word in words) / len(words), 3) if words else 0.0
