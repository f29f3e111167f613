"""The file is one that a library of others plays."""

import io

import numpy as np
import soundfile

from gateway.recording import wav
from gateway.recording.tape import Tape
from pipeline.audio.mulaw import DECODED


def test_both_channels_are_read_as_they_were_recorded() -> None:
    tape = Tape(0.0)
    tape.caller(bytes(range(160)), 20, 0.02)
    tape.agent(bytes(range(90, 250)), 0.0)
    sound = tape.take(0.02)
    samples, rate_hz = soundfile.read(io.BytesIO(wav.header(len(sound)) + sound), dtype="int16")
    assert (samples.shape, rate_hz) == ((160, 2), 8000)
    assert np.array_equal(samples[:, 0], DECODED[np.arange(160)])
    assert np.array_equal(samples[:, 1], DECODED[np.arange(90, 250)])
