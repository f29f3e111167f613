"""A recording as anybody plays it: RIFF WAVE, mu-law, 8 kHz, two channels (caller left, agent right).

Format tag 7 with its empty extension and the `fact` chunk that formats other than PCM must have: Multimedia
Programming Interface and Data Specifications 1.0, WAVE; RFC 2361 section A.4 (read 2026-11).
"""

import struct
from typing import Final

from gateway.recording.tape import CHANNELS
from pipeline.audio.mulaw import SAMPLE_RATE_HZ

MEDIA_TYPE: Final = "audio/wav"
FRAME_BYTES: Final = CHANNELS
"""One sample of both channels."""
BYTES_PER_S: Final = SAMPLE_RATE_HZ * FRAME_BYTES
_MULAW: Final = 7
_FORMAT: Final = struct.pack("<HHIIHHH", _MULAW, CHANNELS, SAMPLE_RATE_HZ, BYTES_PER_S, FRAME_BYTES, 8, 0)
_MOST: Final = 2**32 - 1


def header(sound_bytes: int) -> bytes:
    """What stands before so much sound; an even number of bytes, so that no padding follows it."""
    fact = struct.pack("<I", sound_bytes // FRAME_BYTES)
    chunks = _chunk(b"fmt ", _FORMAT) + _chunk(b"fact", fact) + struct.pack("<4sI", b"data", sound_bytes)
    return struct.pack("<4sI4s", b"RIFF", min(4 + len(chunks) + sound_bytes, _MOST), b"WAVE") + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body
