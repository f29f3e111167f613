"""The codec against the reference implementation of CPython 3.11."""

import warnings

import numpy as np
import pytest

from pipeline.audio import mulaw

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop")  # left the standard library in 3.13

EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
EVERY_CODE = bytes(range(256))


def test_encoding_equals_the_reference_for_every_sample() -> None:
    assert mulaw.encode(EVERY_SAMPLE) == audioop.lin2ulaw(EVERY_SAMPLE.tobytes(), 2)


def test_decoding_equals_the_reference_for_every_code() -> None:
    assert mulaw.decode(EVERY_CODE).tobytes() == audioop.ulaw2lin(EVERY_CODE, 2)


def test_every_code_but_the_negative_zero_survives_the_round_trip() -> None:
    kept = bytes(code for code in EVERY_CODE if code != 0x7F)
    assert mulaw.encode(mulaw.decode(kept)) == kept


def test_silence_is_zero_and_lasts_as_said() -> None:
    quiet = mulaw.silence(20)
    assert (len(quiet), mulaw.duration_s(quiet)) == (160, 0.02)
    assert not mulaw.decode(quiet).any()
