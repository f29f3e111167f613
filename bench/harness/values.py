"""Values of the commands' arguments, as argparse's `type`: read, or refused with their reason before anything
starts.

Each raises `argparse.ArgumentTypeError`, the only error whose words argparse shows.
"""

import argparse
import math
import os
from pathlib import Path
from typing import Final

from bench.simulators.latency import Latency, LatencyUnreadable, parse_latency

HIGHEST_PORT: Final = 65_535


def positive(text: str) -> int:
    """How many of something. None at all would measure nothing, and end well."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def count(text: str) -> int:
    """How many of something that may be left out."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def amount(text: str) -> float:
    """A length of time, or whatever else may be 0 and a fraction."""
    number = _finite(text)
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return number


def rate(text: str) -> float:
    """How often something happens, or by what factor: more than 0."""
    number = _finite(text)
    if number is None or number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def port(text: str) -> int:
    """Where to listen; 0 is any free port."""
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def latency(text: str) -> Latency:
    """A provider's delays, see `parse_latency`."""
    try:
        return parse_latency(text)
    except LatencyUnreadable as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def result_file(text: str) -> Path:
    """A file that can be written once all is measured; folders above it are made then."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder")
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK) or (there != path and not there.is_dir()):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written")
    return path


def folder(text: str) -> Path:
    """Where several files are kept; made when it is needed."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return path


def _finite(text: str) -> float | None:
    """None for what is no number, infinite ones included."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
