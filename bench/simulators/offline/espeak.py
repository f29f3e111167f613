"""espeak-ng through its shared library: the voice that is left when the neural one cannot be used.

Source: espeak-ng's speak_lib.h, API revision 12 (read 2026-11). The library holds global state: one instance
in a process, used by one thread.
"""

import ctypes
from collections.abc import Iterator

import numpy as np

from bench.simulators.sound import Samples, Sound, Word

_SYNCHRONOUS = 2
_CHARACTERS = 1
_UTF8 = 1
_WORD_EVENT = 1
_LAST_EVENT = 0


class EspeakUnavailable(Exception):
    """The library is not installed or does not start; the message says which."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Espeak:
    """Speaks a text at once, with the word times that the engine itself tells."""

    name = "espeak-ng"

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError:
            raise EspeakUnavailable("package espeakng-loader is not installed") from None
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self._rate_hz <= 0:
            raise EspeakUnavailable("espeak-ng finds no voice data")
        self._library.espeak_SetVoiceByName(b"en-gb")
        self._parts: list[bytes] = []
        self._marks: list[tuple[int, int]] = []
        self._callback = _Callback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str) -> Iterator[Sound]:
        self._parts.clear()
        self._marks.clear()
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
        pcm = np.frombuffer(b"".join(self._parts), "<i2")
        samples: Samples = (pcm / 32768).astype(np.float32)
        yield Sound(samples, self._rate_hz, self._words(text, len(samples) / self._rate_hz))

    def _collect(
        self, wav: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        # At the end of a text comes one call without sound, whose pointer is null.
        if count > 0:
            self._parts.append(ctypes.string_at(wav, 2 * count))
        index = 0
        while events[index].type != _LAST_EVENT:
            if events[index].type == _WORD_EVENT:
                self._marks.append((events[index].text_position - 1, events[index].audio_position))
            index += 1
        return 0

    def _words(self, text: str, duration_s: float) -> tuple[Word, ...]:
        """Written words from the first spoken word in each to the next; the engine counts parts of some."""
        starts_ms = dict(reversed(self._marks))
        timed: list[tuple[str, float]] = []
        at, last_s = 0, 0.0
        for written in text.split():
            at = text.index(written, at)
            spoken = [ms for position, ms in starts_ms.items() if at <= position < at + len(written)]
            last_s = min(spoken) / 1000 if spoken else last_s
            timed.append((written, last_s))
            at += len(written)
        ends = [start for _, start in timed[1:]] + [duration_s]
        return tuple(Word(word, start, end) for (word, start), end in zip(timed, ends, strict=True))
