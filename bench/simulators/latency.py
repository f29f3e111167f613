"""How long simulated providers take: distributions, drawn from seeds, and the named models made of them.

A draw depends on the seed and on the key of what is drawn for (turn, provider, how many-th request) and on
nothing else: two gateways that are asked the same meet the same delays, however they go about them.
Draws are stratified: of a hundred turns in a row each hundredth of a distribution falls to one, in an order
of its own for each provider (Latin hypercube sampling: McKay, Beckman and Conover 1979, Technometrics 21),
so that the median and the tail of a short run are nearly those of a long one.
Where the figures of the named models come from: docs/bench.md.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

STRATA: Final = 100
_EDGE: Final = 1e-9  # no draw nearer to the ends of a distribution, which may lie at infinity
_P95_SIGMAS: Final = NormalDist().inv_cdf(0.95)
_P95_PARETO: Final = math.log(20)
FEWEST_RECORDED: Final = 20


class LatencyUnreadable(ValueError):
    """The text names no distribution; the message says what it must be."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    ms: float

    def at(self, share: float) -> float:
        return self.ms


@dataclass(frozen=True, slots=True)
class LogNormal:
    """By its median and its 95th percentile."""

    p50_ms: float
    p95_ms: float

    def at(self, share: float) -> float:
        sigmas = NormalDist().inv_cdf(share) / _P95_SIGMAS
        return self.p50_ms * math.exp(sigmas * math.log(self.p95_ms / self.p50_ms))


@dataclass(frozen=True, slots=True)
class HeavyTail:
    """A Pareto distribution by its median and its 95th percentile: one in a thousand is very late."""

    p50_ms: float
    p95_ms: float

    def at(self, share: float) -> float:
        exponent = math.log(self.p95_ms / self.p50_ms) / (_P95_PARETO - math.log(2))
        return self.p50_ms / math.pow(2, exponent) * math.pow(1 - share, -exponent)


@dataclass(frozen=True, slots=True)
class Stalling:
    """`usual`, but in `share` of the draws, the last ones, `stall_ms`."""

    usual: LogNormal
    share: float
    stall_ms: float

    def at(self, share: float) -> float:
        as_usual = 1 - self.share
        return self.usual.at(share / as_usual) if share < as_usual else self.stall_ms


@dataclass(frozen=True, slots=True)
class Recorded:
    """As often as it was measured: the empirical distribution of `ms`, interpolated between its values."""

    name: str
    ms: tuple[float, ...]
    """In ascending order, two at least."""

    def at(self, share: float) -> float:
        place = share * (len(self.ms) - 1)
        below = int(place)
        return self.ms[below] + (place - below) * (self.ms[below + 1] - self.ms[below])


Latency = Fixed | LogNormal | HeavyTail | Stalling | Recorded
"""A distribution; `at(share)` is the delay in ms below which `share` of its draws lie, 0 < share < 1."""


def parse_latency(text: str) -> Latency:
    """`fixed:250`, `lognormal:260:350` (p50, p95), `heavy:380:650` (p50, p95), `stalling:380:650:0.02:3000`,
    `recorded:FILE` with a measurement in ms on each line.

    Raises `LatencyUnreadable`.
    """
    kind, *numbers = text.split(":")
    if kind == "recorded":
        return _recorded(Path(text.partition(":")[2]))
    try:
        return _made(kind, [float(number) for number in numbers])
    except (LookupError, ValueError, TypeError):
        raise LatencyUnreadable(
            f"{text!r} is none of fixed:MS, lognormal:P50:P95, heavy:P50:P95, stalling:P50:P95:SHARE:MS, "
            "recorded:FILE"
        ) from None


def _recorded(path: Path) -> Recorded:
    """Lines that are empty or begin with # are passed over."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        ms = sorted(float(line) for line in lines if line and not line.startswith("#"))
    except (OSError, ValueError):
        raise LatencyUnreadable(f"{path} is no file with a number of milliseconds on each line") from None
    if len(ms) < FEWEST_RECORDED or not all(math.isfinite(each) and each >= 0 for each in ms):
        raise LatencyUnreadable(f"{path} must hold {FEWEST_RECORDED} delays at least, none below 0")
    return Recorded(path.name, tuple(ms))


def _made(kind: str, numbers: list[float]) -> Latency:
    """Raises LookupError, ValueError or TypeError for what is no distribution."""
    makers: Mapping[str, Callable[..., Latency]] = {
        "fixed": Fixed,
        "lognormal": LogNormal,
        "heavy": HeavyTail,
        "stalling": lambda p50, p95, share, stall: Stalling(LogNormal(p50, p95), share, stall),
    }
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError(kind)
    if kind != "fixed" and not 0 < numbers[0] <= numbers[1]:
        raise ValueError(kind)
    if kind == "stalling" and not numbers[2] <= 1:
        raise ValueError(kind)
    return makers[kind](*numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyModel:
    """The providers' delays. `stt_end`: from the last voiced sample to the recogniser's end of turn;
    `eager_before_ms`: how much sooner it guesses it; `llm`: to the first token; `tts`: text to first audio.

    `stable_share` of the turns have all their words told `stable_before_ms` before the end of speech, as
    interim words; in the others the last word is known with the end alone.
    """

    name: str
    stt_end: Latency
    eager_before_ms: float
    llm: Latency
    tokens_per_s: float
    tts: Latency
    stable_before_ms: float = 400.0
    stable_share: float = 2 / 3


MODELS: Final[Mapping[str, LatencyModel]] = {
    model.name: model
    for model in (
        LatencyModel(
            name="steady",
            stt_end=Fixed(250),
            eager_before_ms=120,
            llm=Fixed(250),
            tokens_per_s=80,
            tts=Fixed(90),
        ),
        LatencyModel(
            name="published",
            stt_end=LogNormal(260, 350),
            eager_before_ms=150,
            llm=Stalling(LogNormal(380, 650), 0.02, 3000),
            tokens_per_s=80,
            tts=LogNormal(90, 190),
        ),
        LatencyModel(
            name="lognormal",
            stt_end=LogNormal(260, 350),
            eager_before_ms=150,
            llm=LogNormal(380, 650),
            tokens_per_s=80,
            tts=LogNormal(90, 190),
        ),
        LatencyModel(
            name="heavy",
            stt_end=HeavyTail(260, 350),
            eager_before_ms=150,
            llm=HeavyTail(380, 650),
            tokens_per_s=80,
            tts=HeavyTail(90, 190),
        ),
        LatencyModel(
            name="quick",
            stt_end=Fixed(60),
            eager_before_ms=40,
            llm=Fixed(20),
            tokens_per_s=400,
            tts=Fixed(20),
        ),
    )
}
"""`steady`: no chance in it. `published`: medians and tails that vendors and others have published.
`lognormal`: that without the stalls. `heavy`: the same percentiles with Pareto tails. `quick`: providers
that cost next to nothing, to try the bench itself."""


def changed(model: LatencyModel, **changes: Any) -> LatencyModel:
    """The model with some delays replaced; its name says so. None changes nothing."""
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(model, name=f"{model.name}, changed", **given) if given else model


@dataclass(frozen=True, slots=True)
class TurnDelays:
    """The recogniser's delays of one turn, ms after its last voiced sample. `stable_ms`: when all its words
    are told, negative before the end of speech; None if not before the end of the turn is guessed.
    """

    eager_ms: float
    end_ms: float
    stable_ms: float | None


@dataclass(frozen=True, slots=True)
class Draws:
    """All the draws of one run."""

    model: LatencyModel
    seed: int

    def turn(self, turn_id: int) -> TurnDelays:
        end_ms = self.model.stt_end.at(self._share(turn_id, "stt"))
        stable = self._share(turn_id, "stable") < self.model.stable_share
        return TurnDelays(
            eager_ms=max(0.0, end_ms - self.model.eager_before_ms),
            end_ms=end_ms,
            stable_ms=-self.model.stable_before_ms if stable else None,
        )

    def llm_ms(self, turn_id: int, nth: int) -> float:
        """To the first token of the turn's `nth` request."""
        return self.model.llm.at(self._share(turn_id, "llm", nth))

    def tts_ms(self, turn_id: int, nth: int) -> float:
        """Text to first audio of the turn's `nth` speech context."""
        return self.model.tts.at(self._share(turn_id, "tts", nth))

    @property
    def between_tokens_s(self) -> float:
        return 1 / self.model.tokens_per_s

    def _share(self, turn_id: int, *what: object) -> float:
        """Where in its distribution the draw lies."""
        series, place = divmod(turn_id, STRATA)
        within = random.Random(_key(self.seed, *what, turn_id)).random()
        share = (_order(_key(self.seed, *what, "series", series))[place] + within) / STRATA
        return min(max(share, _EDGE), 1 - _EDGE)


def _key(*parts: object) -> str:
    return ":".join(map(str, parts))


@lru_cache(maxsize=1024)
def _order(key: str) -> list[int]:
    """The strata of one series of turns, shuffled."""
    return random.Random(key).sample(range(STRATA), STRATA)
