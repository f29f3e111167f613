"""A turn's number in the first samples of its audio, as loud samples whose signs are its bits.

The gateway passes the caller's mu-law through as it came, so the simulated recogniser finds the number where
the caller put it, whichever socket the audio comes by and however many calls there are at once.
"""

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MAGIC: Final = 0b1011_0010_1110
_MAGIC_BITS, _ID_BITS, _CHECK_BITS = 12, 44, 16
BITS: Final = _MAGIC_BITS + _ID_BITS + _CHECK_BITS
_LOUD, _LOUD_NEGATIVE = 0x8F, 0x0F  # mu-law codes of about +-16,000: one byte is one sample
LARGEST_ID: Final = 2**_ID_BITS - 1


def write_click(turn_id: int) -> bytes:
    """`BITS` mu-law samples."""
    if not 0 <= turn_id <= LARGEST_ID:
        raise ValueError(f"a turn's number is 0 to {LARGEST_ID}")
    number = (_MAGIC << _ID_BITS | turn_id) << _CHECK_BITS | _check(turn_id)
    return bytes(_LOUD if bit == "1" else _LOUD_NEGATIVE for bit in f"{number:0{BITS}b}")


def read_click(samples: NDArray[np.int16]) -> int | None:
    """The number that these samples begin with, None if they begin with none."""
    if samples.size < BITS:
        return None
    number = int("".join("1" if sample > 0 else "0" for sample in samples[:BITS]), 2)
    head, check = divmod(number, 1 << _CHECK_BITS)
    magic, turn_id = divmod(head, 1 << _ID_BITS)
    return turn_id if magic == _MAGIC and check == _check(turn_id) else None


def _check(turn_id: int) -> int:
    return zlib.crc32(turn_id.to_bytes(8, "big")) & 0xFFFF
