"""The turns of a run: what is said in each, what is answered, and which delays the providers draw for it.

Each turn has a code word that nobody else says. It stands in the caller's words, so the model's server knows
which turn a request is for, and in the first clause of the reply, so the synthesiser's does.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.simulators.cartesia import ContextRecord
from bench.simulators.chat import ChatRequest, tokens
from bench.simulators.deepgram_flux import EndDelays
from bench.simulators.latency import Draws, TurnDelays

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_WORD: Final = re.compile(
    rf"\b[{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}]\b", re.IGNORECASE
)
_RECENT_EVENTS: Final = 100_000
WORDS: Final = len(_CONSONANTS) ** 3 * len(_VOWELS) ** 2
_LETTERS: Final = re.compile(r"[^a-z ]")
LONG_ANSWER: Final = (
    "There is a small garden behind the house, and in the morning the light comes in through the tall "
    "windows. People like to sit there with a cup of tea, look at the old trees, and listen to the birds "
    "before they go."
)
OTHERWISE: Final = "I am not sure that I understood you."
"""What is answered to words that hold no turn's code word."""


def code_word(number: int) -> str:
    """The `number`-th of `WORDS` words of five letters, spread so that neighbours sound apart."""
    rest = number * 48_611 % WORDS
    letters = []
    for alphabet in (_CONSONANTS, _VOWELS, _CONSONANTS, _VOWELS, _CONSONANTS):
        rest, at = divmod(rest, len(alphabet))
        letters.append(alphabet[at])
    return "".join(letters)


@dataclass(slots=True)
class Turn:
    """One turn, and what the providers saw of it. `speech_s`: the length of its audio, all of it voiced."""

    id: int
    word: str
    speech_s: float
    delays: TurnDelays
    long: bool = False
    told: list[tuple[str, float]] = field(default_factory=list)  # whole words told: event, monotonic seconds
    stream: int | None = None  # the recogniser's connection that told them
    requests: list[ChatRequest] = field(default_factory=list)  # for the whole words
    early_requests: list[ChatRequest] = field(default_factory=list)  # for part of the words
    contexts: list[ContextRecord] = field(default_factory=list)

    @property
    def line(self) -> str:
        """What the caller says, as a recogniser tells it that punctuates (Flux does in every message)."""
        return f"Could you tell me about {self.word} please?"

    @property
    def reply(self) -> str:
        """A first clause of one word, a second one to go on speaking with; a long one is to be
        interrupted.
        """
        rest = LONG_ANSWER if self.long else "Is there anything else that I can do for you?"
        return f"{self.word.capitalize()}, that is fine. {rest}"

    @property
    def first_clause_tokens(self) -> int:
        """Pieces of the reply until its first clause is certain: the one behind the comma shows the space."""
        return len(tokens(self.reply[: self.reply.index(",") + 1])) + 1

    def stable_s(self) -> float | None:
        """When the client first had all the words (monotonic seconds)."""
        return min((at_s for _, at_s in self.told), default=None)


class Turns:
    """All turns of a run, told to the providers by the words. Satisfies their ports for delays and
    replies.
    """

    def __init__(self, draws: Draws, *, long_replies: bool = False) -> None:
        self.draws = draws
        self.events: deque[tuple[int, float]] = deque(maxlen=_RECENT_EVENTS)
        """When the recogniser told something lately, of any turn: its connection, monotonic seconds."""
        self._long = long_replies
        self._by_id: dict[int, Turn] = {}
        self._by_word: dict[str, Turn] = {}
        self._made = 0

    def make(self, turn_id: int, speech_s: float) -> Turn:
        """A turn that will be said. Words come back into use after `WORDS` turns."""
        turn = Turn(turn_id, code_word(self._made), speech_s, self.draws.turn(turn_id), self._long)
        self._made += 1
        self._by_id[turn_id] = self._by_word[turn.word] = turn
        return turn

    def restart(self) -> None:
        """Forget everything: the turns of another run begin, with the same words."""
        self._by_id.clear()
        self._by_word.clear()
        self.events.clear()
        self._made = 0

    def forget(self, turn: Turn) -> None:
        """Nothing more will come of it."""
        self._by_id.pop(turn.id, None)
        self._by_word.pop(turn.word, None)

    def by_id(self, turn_id: int) -> Turn | None:
        return self._by_id.get(turn_id)

    def in_text(self, text: str) -> Turn | None:
        """The turn whose code word stands last in the text."""
        words = [match.lower() for match in _WORD.findall(text)]
        return next((self._by_word[word] for word in reversed(words) if word in self._by_word), None)

    # --- the recogniser's ends of turns (`bench.simulators.deepgram_flux.TurnEnds`)

    def after(self, transcript: str) -> EndDelays | None:
        turn = self.in_text(transcript)
        if turn is None:
            return None
        return EndDelays(turn.delays.eager_ms / 1000, turn.delays.end_ms / 1000)

    def told(self, event: str, transcript: str, at_s: float, stream: int) -> None:
        self.events.append((stream, at_s))
        turn = self.in_text(transcript)
        if turn is not None and _same(turn.line, transcript):
            turn.told.append((event, at_s))
            turn.stream = stream

    # --- the model's replies and delays

    def reply_to(self, messages: Sequence[Mapping[str, Any]]) -> str:
        turn = self.in_text(_last_said(messages))
        return OTHERWISE if turn is None else turn.reply

    def thinks(self, request: ChatRequest) -> float:
        """Seconds to its first token. A request for part of the words draws apart from those for all of
        them.
        """
        said = _last_said(request.messages)
        turn = self.in_text(said)
        if turn is None:
            return 0.0
        whole = _same(turn.line, said)
        kin = turn.requests if whole else turn.early_requests
        kin.append(request)
        nth = len(kin) - 1
        return self.draws.llm_ms(turn.id, nth if whole else -1 - nth) / 1000

    # --- the synthesiser's delays

    def starts(self, context: ContextRecord) -> float:
        """Seconds from its first text to its first audio; stock phrases take none."""
        turn = self.in_text(" ".join(context.texts))
        if turn is None:
            return 0.0
        turn.contexts.append(context)
        return self.draws.tts_ms(turn.id, len(turn.contexts) - 1) / 1000


def _last_said(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the caller said last, whatever else the conversation ends with."""
    said = next((each.get("content") for each in reversed(messages) if each.get("role") == "user"), "")
    return said if isinstance(said, str) else ""


def _same(line: str, said: str) -> bool:
    return _LETTERS.sub("", line.lower()).split() == _LETTERS.sub("", said.lower()).split()
