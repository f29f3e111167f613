"""What is said, what answers it, how it is known again, and what the recogniser's simulated ears make of
it.
"""

import numpy as np
import pytest

from bench.harness.click import BITS, LARGEST_ID, read_click, write_click
from bench.harness.ears import TimedEars
from bench.harness.results import unheard_characters
from bench.harness.speech import DEFAULT_VOICE, FRAME_BYTES, numbered, read_voice
from bench.harness.turns import OTHERWISE, WORDS, Turns, code_word
from bench.simulators.cartesia import ContextRecord
from bench.simulators.chat import ChatRequest, tokens
from bench.simulators.latency import MODELS, Draws
from pipeline.audio.mulaw import decode
from pipeline.sentences import ClauseSplitter


def book() -> Turns:
    return Turns(Draws(MODELS["steady"], 1))


def asking(text: str) -> ChatRequest:
    return ChatRequest(
        {}, {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": text}]}
    )


def test_code_words_are_all_different() -> None:
    assert len({code_word(number) for number in range(WORDS)}) == WORDS


@pytest.mark.parametrize("turn_id", [0, 1, 4711, 2**40, LARGEST_ID])
def test_a_number_is_read_from_the_audio_that_carries_it(turn_id: int) -> None:
    assert read_click(decode(write_click(turn_id))) == turn_id


def test_voice_is_no_number() -> None:
    voice = read_voice(DEFAULT_VOICE)[0]
    samples = decode(voice)
    assert all(read_click(samples[at : at + BITS]) is None for at in range(0, samples.size - BITS, 40))


def test_a_turn_ends_with_its_last_voiced_sample() -> None:
    for voice in read_voice(DEFAULT_VOICE):
        assert len(voice) % FRAME_BYTES == 0
        assert np.abs(decode(voice[-FRAME_BYTES:]).astype(int)).max() > 120


async def test_ears_know_the_turn_by_its_number_and_its_length() -> None:
    turns = book()
    audio = numbered(7, read_voice(DEFAULT_VOICE)[0])
    turn = turns.make(7, len(audio) / 8000)
    ears = TimedEars(turns)
    windows = ears.listen(decode(b"\xff" * 320 + audio + b"\xff" * 320))
    voiced = [window.end_s for window in windows if window.voiced]
    assert voiced[0] == pytest.approx(0.06)
    assert voiced[-1] == pytest.approx(0.04 + turn.speech_s)
    said = await ears.words(0.0, 0.04 + turn.speech_s + 0.02, settled=True)
    assert " ".join(word.text for word in said) == turn.line


async def test_the_last_word_is_known_when_the_draw_says_so() -> None:
    turns = book()
    early = next(id_ for id_ in range(50) if turns.draws.turn(id_).stable_ms is not None)
    late = next(id_ for id_ in range(50) if turns.draws.turn(id_).stable_ms is None)
    for turn_id, known in ((early, True), (late, False)):
        audio = numbered(turn_id, read_voice(DEFAULT_VOICE)[0])
        turn = turns.make(turn_id, len(audio) / 8000)
        ears = TimedEars(turns)
        ears.listen(decode(audio))
        words = await ears.words(0.0, turn.speech_s - 0.3, settled=False)
        assert (len(words) == len(turn.line.split())) is known


def test_each_provider_finds_the_turn_in_the_words() -> None:
    turns = book()
    turn = turns.make(3, 2.0)
    assert turns.reply_to(asking(turn.line).messages) == turn.reply
    assert turns.reply_to(asking("Hello there").messages) == OTHERWISE
    assert turns.in_text(f"So {turn.word.upper()}, again") is turn
    delays = turns.after(turn.line)
    assert delays is not None
    assert (delays.eager_s, delays.end_s) == (0.13, 0.25)
    assert turns.after("Hello there") is None


def test_requests_for_part_of_the_words_draw_apart() -> None:
    turns = Turns(Draws(MODELS["published"], 1))
    turn = turns.make(3, 2.0)
    early_s = turns.thinks(asking(turn.line.removesuffix(" please?")))
    assert turns.thinks(asking(turn.line.replace("?", "."))) == turns.draws.llm_ms(3, 0) / 1000 != early_s
    assert turns.thinks(asking(turn.line)) == turns.draws.llm_ms(3, 1) / 1000
    assert (len(turn.requests), len(turn.early_requests)) == (2, 1)


def test_the_first_clause_is_certain_with_the_piece_that_the_floor_counts() -> None:
    turn = book().make(1, 2.0)
    splitter = ClauseSplitter()
    cut_at = next(n for n, piece in enumerate(tokens(turn.reply), start=1) if splitter.feed(piece))
    assert cut_at == turn.first_clause_tokens


def test_a_forgotten_turn_is_not_found() -> None:
    turns = book()
    turn = turns.make(3, 2.0)
    turns.forget(turn)
    assert turns.by_id(3) is None
    assert turns.in_text(turn.line) is None


def test_what_was_synthesised_beside_the_answer_was_in_vain() -> None:
    turns = book()
    turn = turns.make(1, 2.0)
    assert unheard_characters(turn) == 0
    clause = f"{turn.word.capitalize()}, "
    turns.starts(ContextRecord("guess", [clause]))
    turns.starts(ContextRecord("answer", [clause, turn.reply.removeprefix(clause)]))
    assert unheard_characters(turn) == len(clause)
