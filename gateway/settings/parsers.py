"""What a setting's text means. A parser raises `ValueError` for what makes no sense."""

import ipaddress
from collections.abc import Callable
from typing import Final, get_args
from urllib.parse import urlsplit

from pipeline.turn.limits import Speculation

OFF_OR_SECONDS = "be off or a positive number of seconds"
LOG_LEVELS = ("debug", "info", "warning", "error")
SPECULATION_LEVELS: Final[tuple[str, ...]] = get_args(Speculation)


def boolean(text: str) -> bool:
    """`true`, `1`, `yes`, `on`, or one of their opposites, in capitals or not."""
    known = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def port(text: str) -> int:
    """A TCP port; 0: one that is free."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


def log_level(text: str) -> str:
    """One of `LOG_LEVELS`, in capitals or not."""
    if text.lower() not in LOG_LEVELS:
        raise ValueError(text)
    return text.lower()


def address(text: str) -> str:
    """An IP address, or a name: one whose last label is a number is a mistyped address."""
    if ":" in text or text.rpartition(".")[2].isdigit():
        ipaddress.ip_address(text)
    return text


def seconds_or_off(text: str) -> float | None:
    """None for `off`."""
    return None if text.lower() == "off" else positive(float)(text)


def speculation(text: str) -> str:
    """One of `SPECULATION_LEVELS`, in capitals or not."""
    if text.lower() not in SPECULATION_LEVELS:
        raise ValueError(text)
    return text.lower()


def or_zero(kind: type[float]) -> Callable[[str], float]:
    """A parser of numbers of that kind from zero on."""

    def parse(text: str) -> float:
        return 0 if kind(text) == 0 else positive(kind)(text)

    return parse


def positive(kind: type[float]) -> Callable[[str], float]:
    """A parser of finite numbers of that kind above zero."""

    def parse(text: str) -> float:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise ValueError(text)
        return number

    return parse


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether it has one of these schemes, and something behind it."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.path)


def is_loopback(host: str) -> bool:
    """Whether it can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
