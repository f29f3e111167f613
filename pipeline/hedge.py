"""One model over two: when a reply's first speakable clause is late, it is asked for a second time.

The clock runs on the *clause*, not on the first byte: a stream that opens at once and then thinks is as
silent to the caller as one that never opens. The first request to give a clause, a tool call or a whole reply
wins; the other is cancelled, and nothing of it, above all no tool call, reaches whoever asked. The second
request goes to the fallback model if there is one, otherwise to the same model: most late replies are late by
accident, and asking again draws a new lot (Dean and Barroso, The Tail at Scale, CACM 2013: hedged requests).
A reply begun while the caller still speaks is not late before the caller waits for it.

A slow provider must not be asked twice as much because it is slow. So second requests to cut a wait are
capped per call, and per org to a share of its requests, as gRPC throttles retries (proposal A6), and what
counts as late follows the org's recent replies, so that the share goes to the latest of them; what second
requests cost is counted in tokens. A fallback model takes over from a request that failed without regard to
that share: then there is one request alone that costs anything.

Until a request has won, its words are held back; an empty `TextDelta` tells that the model has begun.
"""

import asyncio
from bisect import bisect_left, insort
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from pipeline.errors import ProviderError, ProviderRefused
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.ports import LanguageModel, Message, ToolSpec
from pipeline.sentences import ClauseSplitter
from pipeline.streams import closing
from pipeline.tokens import RequestTokens

CLOSE_S: Final = 2.0
RECENT: Final = 200
FEWEST: Final = 20
MOST_WAITS: Final = 4
"""How many replies of an org are remembered; how many must be before they say what is late; and how many
times the least wait that may be.
"""
Reason = Literal["late", "failed"]


@dataclass(frozen=True, slots=True)
class HedgeLimits:
    """`after_s`: the least wait for the first speakable clause before it is asked for again, counted from the
    request, or from when the caller began to wait. None: only a failure does that.
    """

    after_s: float | None
    requests_per_call: int = 10
    tokens_per_call: int = 50_000


@dataclass(frozen=True, slots=True)
class Hedged:
    """One reply that was asked for twice, or was to be but for a cap (`capped`).

    `won`: which request gave the reply; `none` if it was broken off before that, or both failed.
    `extra_tokens`: what the requests that did not win have cost, about.
    """

    reason: Reason
    won: Literal["first", "second", "none", "capped"]
    extra_tokens: int = 0


class HedgeBudget:
    """All calls of one org: second requests are at most a `share` of the first ones, and `burst` at once."""

    def __init__(self, share: float = 0.3, burst: int = 10) -> None:
        self._share = share
        self._burst = burst
        self._left = float(burst)
        self._recent: deque[float] = deque()
        self._ascending: list[float] = []

    def note(self, waited_s: float) -> None:
        """How long a caller waited for a reply's first clause, whichever request gave it."""
        if len(self._recent) == RECENT:
            del self._ascending[bisect_left(self._ascending, self._recent.popleft())]
        self._recent.append(waited_s)
        insort(self._ascending, waited_s)

    def late_s(self, after_s: float) -> float:
        """When a reply is late: among the slowest `share` of the recent ones, not before `after_s`, and after
        four times that in any case, so that an outage is not what later replies are measured by.
        """
        if len(self._ascending) < FEWEST:
            return after_s
        slowest = int(len(self._ascending) * (1 - self._share))
        late_s = self._ascending[min(slowest, len(self._ascending) - 1)]
        return min(max(after_s, late_s), MOST_WAITS * after_s)

    def earn(self) -> None:
        """A first request was sent."""
        self._left = min(self._burst, self._left + self._share)

    def spend(self) -> bool:
        """Whether a second one may be."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


_Ask = Callable[[], tuple[AsyncIterator[LlmEvent], RequestTokens]]
"""Sends one request: its stream, and the account of what it costs."""


class HedgedModel:
    """Satisfies `LanguageModel` and `Heeds`, for one call. `fallback`: another model, or None to ask the same
    one again.

    `on_hedge` is told of every second request once it is over.
    """

    def __init__(
        self,
        first: LanguageModel,
        fallback: LanguageModel | None,
        limits: HedgeLimits,
        budget: HedgeBudget,
        on_hedge: Callable[[Hedged], None],
    ) -> None:
        self._first = first
        self._fallback = fallback
        self._limits = limits
        self._budget = budget
        self._on_hedge = on_hedge
        self._requests = 0
        self._tokens = 0
        self._caller_waits = True
        self._races: set[_Race] = set()

    def caller_waits(self, waits: bool) -> None:
        """See `pipeline.ports.Heeds`."""
        self._caller_waits = waits
        if waits:
            for race in self._races:
                race.hurry()

    async def reply(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[LlmEvent, None]:
        """See `LanguageModel`. Raises `ProviderError` once no request is left that could give a reply."""
        self._budget.earn()

        def ask(model: LanguageModel) -> _Ask:
            return lambda: (model.reply(messages, tools), RequestTokens(messages, tools))

        race = _Race(
            ask(self._first),
            ask(self._fallback or self._first),
            late_s=self._late_s(),
            may_start=self._may_start,
        )
        if self._caller_waits:
            race.hurry()
        self._races.add(race)
        try:
            while (event := await race.next()) is not None:
                yield event
        finally:
            self._races.discard(race)
            await race.close()
            self._account(race)

    async def warm_up(self) -> None:
        """See `LanguageModel`."""
        models = [self._first] if self._fallback is None else [self._first, self._fallback]
        await asyncio.gather(*(model.warm_up() for model in models))

    def _late_s(self) -> float | None:
        after_s = self._limits.after_s
        return None if after_s is None else self._budget.late_s(after_s)

    def _may_start(self, reason: Reason) -> bool:
        if reason == "failed" and self._fallback is None:
            return False  # whoever asked decides whether to ask the same model again
        limits = self._limits
        within_call = self._requests < limits.requests_per_call and self._tokens < limits.tokens_per_call
        if not within_call or (reason == "late" and not self._budget.spend()):
            self._on_hedge(Hedged(reason, "capped"))
            return False
        self._requests += 1
        return True

    def _account(self, race: "_Race") -> None:
        if race.waited_s is not None:
            self._budget.note(race.waited_s)
        if race.reason is None:
            return
        extra = sum(loser.tokens() for loser in race.losers())
        self._tokens += extra
        self._on_hedge(Hedged(race.reason, race.won, extra))


class _Race:
    """One reply's requests. `reason`: why a second one was sent, None if none was. `waited_s`: from when the
    caller waited for it to the reply's first clause, None before that.
    """

    def __init__(
        self,
        first: _Ask,
        second: _Ask,
        *,
        late_s: float | None,
        may_start: Callable[[Reason], bool],
    ) -> None:
        self.reason: Reason | None = None
        self.waited_s: float | None = None
        self._late_s = late_s
        self._waiting_since_s: float | None = None
        self._second = second
        self._may_start = may_start
        self._news = asyncio.Event()
        self._contenders = [_Contender(*first(), self._news)]
        self._winner: _Contender | None = None
        self._has_begun = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def won(self) -> Literal["first", "second", "none"]:
        if self._winner is None or not self._winner.has_reply:
            return "none"
        return "first" if self._winner is self._contenders[0] else "second"

    def losers(self) -> list["_Contender"]:
        """Those that cost something beside the reply: nobody's reply is the first request's."""
        reply = self._winner or self._contenders[0]
        return [each for each in self._contenders if each is not reply]

    async def next(self) -> LlmEvent | None:
        """The winner's next event; None behind its last. Raises `ProviderError`."""
        while True:
            if self._winner is None:
                self._judge()
            if self._winner is not None and (self._winner.events or self._winner.is_over):
                return self._winner.take()
            if self._begins():
                return TextDelta("")
            self._news.clear()
            await self._news.wait()

    def hurry(self) -> None:
        """Somebody waits from now on: a second request is sent once that has lasted `late_s`."""
        if self._waiting_since_s is not None or self._winner is not None:
            return
        loop = asyncio.get_running_loop()
        self._waiting_since_s = loop.time()
        if self._late_s is not None:
            self._alarm = loop.call_later(self._late_s, self._send_second, "late")

    async def close(self) -> None:
        """Cancels what still runs and waits until it has gone."""
        self._stand_down()
        for each in self._contenders:
            each.cancel()
        await asyncio.wait([each.task for each in self._contenders])

    def _begins(self) -> bool:
        """A model has begun, which has not been told yet."""
        if self._has_begun or self._winner is not None:
            return False
        self._has_begun = any(each.has_begun for each in self._contenders)
        return self._has_begun

    def _judge(self) -> None:
        """Finds the winner. Raises the `ProviderError` of a race that nobody can win any more."""
        self._winner = next((each for each in self._contenders if each.has_reply), None)
        if self._winner is None and all(each.is_over for each in self._contenders):
            self._send_second("failed")
            if self._contenders[-1].is_over:
                self._winner = _least_bad(self._contenders)
        if self._winner is not None:
            if self._winner.has_reply:
                self.waited_s = self._waited_s()
            self._stand_down()
            for loser in self.losers():
                loser.cancel()

    def _waited_s(self) -> float:
        since_s = self._waiting_since_s
        return 0.0 if since_s is None else asyncio.get_running_loop().time() - since_s

    def _send_second(self, reason: Reason) -> None:
        if len(self._contenders) == 1 and self._may_start(reason):
            self.reason = reason
            self._contenders.append(_Contender(*self._second(), self._news))

    def _stand_down(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()


class _Contender:
    """One request, read by a task of its own, which `_Race.close` awaits: a generator cannot hold a group.

    Its events are bounded by the model's limit on one reply.
    """

    def __init__(self, stream: AsyncIterator[LlmEvent], cost: RequestTokens, news: asyncio.Event) -> None:
        self.events: deque[LlmEvent] = deque()
        self.has_reply = False
        self._splitter = ClauseSplitter()
        self._cost = cost
        self._news = news
        self.task = asyncio.create_task(self._read(stream))
        self.task.add_done_callback(lambda _: news.set())

    @property
    def is_over(self) -> bool:
        return self.task.done()

    @property
    def has_begun(self) -> bool:
        return bool(self.events) and not isinstance(self.events[0], ReplyFinished)

    @property
    def failure(self) -> BaseException | None:
        if not self.task.done() or self.task.cancelled():
            return None
        return self.task.exception()

    def take(self) -> LlmEvent | None:
        """The next event that has come; None behind the last. Raises what the stream raised."""
        if self.events:
            return self.events.popleft()
        if self.failure is not None:
            raise self.failure
        return None

    def cancel(self) -> None:
        self.task.cancel()

    def tokens(self) -> int:
        """What it has cost, about; a request that was refused costs nothing."""
        return 0 if isinstance(self.failure, ProviderRefused) else self._cost.total()

    async def _read(self, stream: AsyncIterator[LlmEvent]) -> None:
        async with closing(stream, CLOSE_S) as events:
            async for event in events:
                self._cost.note(event)
                self.has_reply = self.has_reply or self._completes_clause(event)
                self.events.append(event)
                self._news.set()

    def _completes_clause(self, event: LlmEvent) -> bool:
        """Or whatever else can be acted upon."""
        match event:
            case TextDelta(text):
                return _speakable(self._splitter.feed(text))
            case ToolCall():
                return True
            case ReplyFinished():
                return _speakable(self._splitter.flush())
            case _:
                assert_never(event)


def _least_bad(contenders: Sequence[_Contender]) -> _Contender:
    """Of requests that all came to nothing: an empty reply, or the failure after which a retry may help."""

    def badness(contender: _Contender) -> int:
        failure = contender.failure
        if failure is None:
            return 0
        return 1 if isinstance(failure, ProviderError) and failure.retryable else 2

    return min(contenders, key=badness)


def _speakable(clauses: Sequence[str]) -> bool:
    return any(any(map(str.isalnum, clause)) for clause in clauses)
