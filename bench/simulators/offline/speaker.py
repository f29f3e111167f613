"""The speaking process: texts in on stdin, sounds out on stdout, one text after the other.

Frames are a length (four bytes, little-endian) and a MessagePack document: a `Speak` in; out a `Ready` at the
start, then for each text its `Made` sounds and one `Spoken`. It ends with its stdin.
"""

import os
import struct
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import msgspec
import numpy as np

from bench.simulators.offline.espeak import Espeak, EspeakUnavailable
from bench.simulators.offline.hibari_voice import HibariVoice
from bench.simulators.offline.models import ModelUnavailable
from bench.simulators.sound import Sound

LENGTH = struct.Struct("<I")


class Speak(msgspec.Struct, tag=True):
    id: int
    text: str


class Ready(msgspec.Struct, tag=True):
    """Which engine speaks, and if it is not the first choice, why."""

    engine: str
    reason: str = ""


class Made(msgspec.Struct, tag=True):
    """One sound: float32 mono, little-endian; words as (text, start, end) in seconds."""

    id: int
    samples: bytes
    rate_hz: int
    words: list[tuple[str, float, float]]


class Spoken(msgspec.Struct, tag=True):
    """The text has been spoken, or could not be."""

    id: int
    failed: bool = False


Answer = Ready | Made | Spoken


class Engine(Protocol):
    name: str

    def speak(self, text: str) -> Iterator[Sound]: ...


def first_that_loads(neural: Callable[[], Engine], fallback: Callable[[], Engine]) -> tuple[Engine, str]:
    """The neural engine, or else the other one and the reason. Raises what the other one raises."""
    try:
        return neural(), ""
    except (ModelUnavailable, ImportError, OSError) as error:
        return fallback(), str(error)


def serve(engine: Engine, texts: BinaryIO, sounds: BinaryIO) -> None:
    """Speak until there are no more texts. A text that the engine cannot speak costs only itself."""
    decoder = msgspec.msgpack.Decoder(Speak)
    while len(head := texts.read(LENGTH.size)) == LENGTH.size:
        request = decoder.decode(texts.read(LENGTH.unpack(head)[0]))
        failed = False
        try:
            for sound in engine.speak(request.text):
                write(sounds, _made(request.id, sound))
        except (ValueError, RuntimeError, KeyError, IndexError):
            failed = True
        write(sounds, Spoken(request.id, failed))


def write(stream: BinaryIO, answer: Answer) -> None:
    document = msgspec.msgpack.encode(answer)
    stream.write(LENGTH.pack(len(document)) + document)
    stream.flush()


def _made(request_id: int, sound: Sound) -> Made:
    words = [(word.text, word.start_s, word.end_s) for word in sound.words]
    return Made(request_id, sound.samples.astype(np.dtype("<f4")).tobytes(), sound.rate_hz, words)


def main() -> int:
    sounds = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever an engine prints goes to stderr: stdout carries frames only.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        engine, reason = first_that_loads(HibariVoice, Espeak)
    except EspeakUnavailable as error:
        print(f"no speech engine: {error}", file=sys.stderr)
        return 1
    write(sounds, Ready(engine.name, reason))
    serve(engine, sys.stdin.buffer, sounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
