"""A bad line, on purpose: what is done to one call's requests, frames and acknowledgements. Pure.

Each kind of fault draws from its own source of chance, one draw per frame or acknowledgement, so that a seed
strikes the same frames whatever else is planned and however long the gateway takes.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from bench.carrier.wire import Message

Signing = Literal["good", "bad", "missing"]
FRAME_MS: Final = 20


class FaultUnreadable(ValueError):
    """No such fault, or no such value of it; the message says which."""


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What goes wrong. Shares are of 1; instants and delays are milliseconds of stream time.

    `signature`: of webhooks and upgrades. `webhook_doubled`: a share of what is told comes twice. `jitter`:
    each frame of the caller is late by up to so much; `loss`: never sent; `reorder`: sent behind the one
    after it; `malformed`: a share is followed by garbage. `ack_late`, `ack_lost`, `ack_doubled`: marks that
    come back. `half_dead`: from then on nothing is sent, the socket stays open; `deaf`: nothing is read;
    `close`: the first stream's connection is torn without a word.
    """

    seed: int = 1
    signature: Signing = "good"
    webhook_doubled: float = 0.0
    jitter: int = 0
    loss: float = 0.0
    reorder: float = 0.0
    malformed: float = 0.0
    ack_late: int = 0
    ack_lost: float = 0.0
    ack_doubled: float = 0.0
    half_dead: int | None = None
    deaf: int | None = None
    close: int | None = None


NO_FAULTS: Final = LineFaults()
_SHARES: Final = ("webhook_doubled", "loss", "reorder", "malformed", "ack_lost", "ack_doubled")
_SIGNINGS: Final[Mapping[str, Signing]] = {"good": "good", "bad": "bad", "missing": "missing"}


def parse_faults(text: str, seed: int = 1) -> LineFaults:
    """`jitter=40,loss=0.02,signature=bad`; dashes may stand for underscores. Raises `FaultUnreadable`."""
    faults = LineFaults(seed=seed)
    known = {field.name for field in fields(LineFaults)} - {"seed"}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if name not in known or not equals:
            raise FaultUnreadable(f"{part!r} is no fault; known are {', '.join(sorted(known))}")
        faults = replace(faults, **{name: _value(name, value)})
    return faults


def _value(name: str, text: str) -> Any:
    if name == "signature":
        if text not in _SIGNINGS:
            raise FaultUnreadable(f"a signature is good, bad or missing, not {text!r}")
        return _SIGNINGS[text]
    try:
        number = float(text)
    except ValueError:
        raise FaultUnreadable(f"{name}={text!r} is no number") from None
    if name in _SHARES:
        if not 0 <= number <= 1:
            raise FaultUnreadable(f"{name} is a share from 0 to 1, not {text}")
        return number
    if not number.is_integer() or number < 0:
        raise FaultUnreadable(f"{name} is whole milliseconds, not {text}")
    return int(number)


class Line:
    """What goes out on one stream, as it goes out. Whoever owns it tells the time and sends what is `due`.

    `struck` counts what was done.
    """

    def __init__(self, faults: LineFaults, stream: int = 1) -> None:
        self.struck: Counter[str] = Counter()
        self._faults = faults
        self._is_good = _spares_audio(faults)
        self._chances = {name: _chance(faults.seed, stream, name) for name in ("jitter", *_SHARES)}
        self._garbage = _chance(faults.seed, stream, "garbage")
        self._waiting: list[tuple[float, int, Message]] = []
        self._order = itertools.count()
        self._last_due_ms = 0.0

    def audio(self, message: Message, now_ms: int) -> None:
        """One frame of the caller."""
        faults = self._faults
        if self._is_good:  # of many calls at once, most are; chance has its price
            return self._wait(message, now_ms)
        late_ms = self._chances["jitter"].random() * faults.jitter
        lost, swapped, followed = (self._hits(name) for name in ("loss", "reorder", "malformed"))
        if lost:
            self.struck["loss"] += 1
            return None
        self.struck += Counter(reorder=swapped, malformed=followed)
        due_ms = max(self._last_due_ms, now_ms + late_ms)
        self._last_due_ms = due_ms
        self._wait(message, due_ms + FRAME_MS + 0.5 if swapped else due_ms)
        if followed:
            self._wait(garbled(message, self._garbage), due_ms)
        return None

    def acknowledgement(self, message: Message, now_ms: int) -> None:
        """A mark that comes back."""
        lost, doubled = self._hits("ack_lost"), self._hits("ack_doubled")
        if lost:
            self.struck["ack_lost"] += 1
            return
        due_ms = float(now_ms + self._faults.ack_late)
        self.struck += Counter(ack_late=self._faults.ack_late > 0, ack_doubled=doubled)
        for _ in range(1 + doubled):
            self._wait(message, due_ms)

    def due(self, now_ms: int) -> list[Message]:
        """What is sent now; nothing any more once the line is half dead."""
        if self.is_half_dead(now_ms):
            self._waiting.clear()
            self.struck["half_dead"] = 1
            return []
        sent = []
        while self._waiting and self._waiting[0][0] <= now_ms:
            sent.append(heapq.heappop(self._waiting)[2])
        return sent

    def rest(self) -> list[Message]:
        """What is still on its way, when nothing more will come."""
        rest = [message for _, _, message in sorted(self._waiting)]
        self._waiting.clear()
        return rest

    def is_half_dead(self, now_ms: int) -> bool:
        return self._faults.half_dead is not None and now_ms >= self._faults.half_dead

    def _hits(self, name: str) -> bool:
        return self._chances[name].random() < float(getattr(self._faults, name))

    def _wait(self, message: Message, due_ms: float) -> None:
        heapq.heappush(self._waiting, (due_ms, next(self._order), message))


def garbled(message: Message, chance: random.Random) -> Message:
    """What no carrier sends: a piece of that message, something else, or the wrong type."""
    if isinstance(message, bytes):
        return chance.choice(_GARBLED_BINARY)(message)
    return chance.choice(_GARBLED_TEXT)(message)


_GARBLED_TEXT: Final[tuple[Callable[[str], Message], ...]] = (
    lambda text: text[: len(text) // 2],
    lambda text: text.encode(),
    lambda text: "[]",
    lambda text: "{}",
    lambda text: "\x00\ufffd not JSON",
    lambda text: '{"event":"no-such-event"}',
    lambda text: '{"event":"media"}',
    lambda text: '{"event":"media","media":{"payload":"%%%","chunk":"x","timestamp":[]}}',
    lambda text: "[" * 2000,
)
_GARBLED_BINARY: Final[tuple[Callable[[bytes], Message], ...]] = (
    lambda audio: audio[: len(audio) // 2] + b"\x00",
    lambda audio: audio[:1],
    lambda audio: "{}",
    lambda audio: "\x00\ufffd not JSON",
    lambda audio: '{"event":"websocket:no-such-event"}',
)


class WebhookChance:
    """Which webhooks come twice."""

    def __init__(self, faults: LineFaults) -> None:
        self._share = faults.webhook_doubled
        self._chance = _chance(faults.seed, 0, "webhook_doubled")

    def doubled(self) -> bool:
        return self._chance.random() < self._share


def _spares_audio(faults: LineFaults) -> bool:
    return not (faults.jitter or faults.loss or faults.reorder or faults.malformed)


def _chance(seed: int, stream: int, name: str) -> random.Random:
    return random.Random(f"{seed}/{stream}/{name}")
