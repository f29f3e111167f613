"""Hearing without a vendor: Silero finds the voice, Moonshine the words, on this machine's CPU alone.

Voice detection runs on the event loop (0.1 ms each 32 ms of audio). The growing utterance is decoded again
for each preview; the cost grows with the square of its length, so a long one is committed in pieces, at
pauses where it has some, else at its quietest place.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from bench.simulators.deepgram_hearing import RATE_HZ, Samples, Window, Word, spread
from bench.simulators.offline.decoding import DecodingThread
from bench.simulators.offline.moonshine import Moonshine, Transcript
from bench.simulators.offline.silero import WINDOW_S, WINDOW_SAMPLES, Silero

_VOICE, _STILL_VOICE = 0.5, 0.35  # Silero's own thresholds: to begin, to go on
_LEAD_IN_S: Final = 0.2  # audio decoded before the first voiced window: soft consonants
_FIRST_PREVIEW_S, _PREVIEW_S = 0.3, 0.4
_PREVIEW_SHARE: Final = 0.1  # a preview each tenth of the piece's length, when that is longer
_PREVIEW_WAIT_S: Final = 0.1  # under load a preview is told late rather than holding up the stream
_QUIET: Final = 32  # -60 dBFS: no telephone carries speech that low, so the detector need not run
_PIECE_S: Final = 5.0  # a pause after this much ends a piece
_LONGEST_PIECE_S: Final = 10.0
_CUT_SEARCH_S: Final = 4.0
_WARM_UP_SAMPLES: Final = 32_000  # the first decoding allocates and takes twice as long
_LEAST_CONFIDENCE: Final = 0.35  # below it Moonshine is making words out of noise


class OfflineEars:
    """The loaded models and the decoding thread; `hearing` makes one connection's ears.

    Use as a context manager; leaving it stops the thread. Raises `ModelUnavailable` when a weight file is
    missing.
    """

    def __init__(self) -> None:
        self._silero = Silero()
        moonshine = Moonshine()
        moonshine.transcribe(np.zeros(_WARM_UP_SAMPLES, np.float32))
        self._decoding = DecodingThread(moonshine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._decoding.close()

    def hearing(self) -> "OfflineHearing":
        return OfflineHearing(self._silero, self._decoding)


@dataclass(slots=True)
class _Piece:
    """The part of an utterance that is still decoded again and again."""

    start_s: float
    decoded_s: float
    words: tuple[Word, ...] = ()
    settled: bool = False


@dataclass(frozen=True, slots=True)
class _Preview:
    """A preview that is being decoded, of the audio up to `end_s`."""

    end_s: float
    result: "asyncio.Future[Transcript]"


class OfflineHearing:
    """One connection's ears."""

    def __init__(self, silero: Silero, decoding: DecodingThread) -> None:
        self._vad = silero.stream()
        self._decoding = decoding
        self._pending = np.empty(0, np.int16)
        self._audio = bytearray()  # int16
        self._forgotten_samples = 0
        self._told_s = 0.0  # audio before this has been heard whole and is not heard again
        self._voiced = False
        self._recent: deque[tuple[float, float]] = deque(maxlen=round(_LONGEST_PIECE_S / WINDOW_S))
        self._voice_end_s = 0.0
        self._speech_start_s = -1.0
        self._committed: tuple[Word, ...] = ()
        self._piece = _Piece(0.0, 0.0)
        self._preview: _Preview | None = None

    def listen(self, samples: Samples) -> list[Window]:
        self._pending = np.concatenate((self._pending, samples))
        windows: list[Window] = []
        while self._pending.size >= WINDOW_SAMPLES:
            window, self._pending = np.split(self._pending, [WINDOW_SAMPLES])
            windows.append(self._detect(window))
        return windows

    def _detect(self, samples: Samples) -> Window:
        self._audio += samples.tobytes()
        end_s = (self._forgotten_samples + len(self._audio) // 2) / RATE_HZ
        quiet = int(np.abs(samples).max()) <= _QUIET
        probability = 0.0 if quiet else self._vad.probability(samples)
        self._voiced = probability >= (_STILL_VOICE if self._voiced else _VOICE)
        self._recent.append((end_s, probability))
        if self._voiced:
            self._voice_end_s = end_s
        return Window(end_s, self._voiced)

    async def words(self, start_s: float, end_s: float, *, settled: bool) -> tuple[Word, ...]:
        if start_s != self._speech_start_s:
            self._begin(start_s)
        piece = self._piece
        if piece.settled and end_s - piece.start_s >= _PIECE_S and self._voice_end_s > piece.decoded_s:
            self._commit()
        elif end_s - piece.start_s >= _LONGEST_PIECE_S:
            await self._cut()
        if settled:
            await self._decode(end_s)
        else:
            await self._refresh(end_s)
        return self._committed + self._piece.words

    def forget(self, before_s: float) -> None:
        """Keeps enough for the lead-in of the speech that follows."""
        samples = int((before_s - 2 * _LEAD_IN_S) * RATE_HZ) - self._forgotten_samples
        samples = min(max(samples, 0), len(self._audio) // 2)
        del self._audio[: 2 * samples]
        self._forgotten_samples += samples

    def _begin(self, start_s: float) -> None:
        self._drop_preview()
        if self._piece.settled:
            self._told_s = self._piece.decoded_s
        self._speech_start_s = start_s
        self._committed = ()
        self._piece = _Piece(start_s, start_s)

    async def _refresh(self, end_s: float) -> None:
        """Bring the preview up to date, unless that would hold up the stream."""
        if self._preview is None and self._preview_due(end_s):
            self._preview = _Preview(end_s, self._request(end_s, final=False))
        if self._preview is not None:
            await asyncio.wait({self._preview.result}, timeout=_PREVIEW_WAIT_S)
            if self._preview.result.done():
                self._hear(self._preview.end_s, self._preview.result.result(), settled=False)
                self._preview = None

    def _preview_due(self, end_s: float) -> bool:
        piece = self._piece
        first = piece.decoded_s == piece.start_s
        interval_s = max(_FIRST_PREVIEW_S if first else _PREVIEW_S, _PREVIEW_SHARE * (end_s - piece.start_s))
        return end_s - piece.decoded_s >= interval_s

    async def _decode(self, end_s: float) -> None:
        self._drop_preview()
        self._hear(end_s, await self._request(end_s, final=True), settled=True)

    def _request(self, end_s: float, *, final: bool) -> "asyncio.Future[Transcript]":
        from_s = max(self._piece.start_s - _LEAD_IN_S, self._told_s)
        return self._decoding.decode(self._between(from_s, end_s), final=final)

    def _hear(self, end_s: float, heard: Transcript, *, settled: bool) -> None:
        piece = self._piece
        piece.decoded_s, piece.settled = end_s, settled
        piece.words = self._timed(heard, piece.start_s, min(end_s, self._voice_end_s))

    def _drop_preview(self) -> None:
        if self._preview is not None:
            self._preview.result.cancel()
            self._preview = None

    def _commit(self) -> None:
        self._drop_preview()
        self._committed += self._piece.words
        self._told_s = self._piece.decoded_s
        self._piece = _Piece(self._told_s, self._told_s)

    async def _cut(self) -> None:
        """End the piece at the window that sounded least like speech, away from its newest second."""
        now_s = self._recent[-1][0]
        _, cut_s = min(
            (probability, end_s)
            for end_s, probability in self._recent
            if now_s - _CUT_SEARCH_S <= end_s <= now_s - 1.0
        )
        await self._decode(cut_s)
        self._commit()

    def _between(self, start_s: float, end_s: float) -> Samples:
        first = max(int(start_s * RATE_HZ) - self._forgotten_samples, 0)
        count = max(int(end_s * RATE_HZ) - self._forgotten_samples - first, 0)
        return np.frombuffer(bytes(self._audio[2 * first : 2 * (first + count)]), np.int16)

    def _timed(self, heard: Transcript, start_s: float, end_s: float) -> tuple[Word, ...]:
        if heard.confidence < _LEAST_CONFIDENCE:
            return ()
        return spread(heard.text, start_s, max(end_s, start_s + WINDOW_S), heard.confidence)
