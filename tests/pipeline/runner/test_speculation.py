"""Replies begun on a guess: nothing of them shows before the turn is committed; wrong ones leave no trace."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipeline.errors import ProviderDropped
from pipeline.events import (
    AgentSaid,
    CallerSaid,
    CallFinished,
    EagerEndOfTurn,
    EndOfTurn,
    InterimTranscript,
    JournalEvent,
    ProviderFailed,
    SpeechStarted,
    ToolCall,
    ToolFinished,
    TurnFinished,
    TurnResumed,
)
from tests.pipeline.runner.world import (
    LLM_TOKEN_S,
    TTS_CHUNK_S,
    WORD_S,
    CallInProgress,
    Fault,
    Hand,
    Mind,
    Voice,
    call,
    now_s,
)

ASKED = "Are you open on Tuesday?"
ANSWER = "Yes, we are. Until six."
FIRST_CLAUSE = "Yes, "


@asynccontextmanager
async def guessing(
    mind: Mind | None = None, voice: Voice | None = None, level: str = "eager", **options: Any
) -> AsyncIterator[CallInProgress]:
    """A call, greeted, in which replies are begun on a guess."""
    mind = mind or Mind([ANSWER], ["Then not."])
    async with call(mind, voice, speculation=level, **options) as c:
        await c.greeted()
        yield c


async def seems_to_end(c: CallInProgress, text: str = ASKED, for_s: float = 1.0) -> None:
    """The caller has perhaps finished, and the recogniser is not sure for so long."""
    c.ear.hears(SpeechStarted(), InterimTranscript(text), EagerEndOfTurn(text))
    await c.passes(for_s)


def shown(c: CallInProgress) -> list[JournalEvent]:
    """What the call has on record beside its greeting."""
    return [event for event in c.diary.events if getattr(event, "turn", 0) > 0]


async def turn_finished(c: CallInProgress) -> TurnFinished:
    await c.passes(6)
    return c.diary.of(TurnFinished)[-1]


# --- a right guess


async def test_a_right_guess_sounds_the_instant_the_turn_ends() -> None:
    async with guessing() as c:
        await seems_to_end(c)
        sent_before = len(c.phone.sent)
        c.ear.hears(EndOfTurn(ASKED))
        ended_s = now_s()
        await c.passes(0)
        turn = await turn_finished(c)
        [first, *_] = c.phone.sent[sent_before:]
    assert len(c.mind.requests) == 1
    assert first.at_s == ended_s
    assert (turn.speculated, turn.wasted_tokens, turn.outcome) == ("eager", 0, "answered")
    assert turn.guesses_dropped == 0
    assert turn.stages_s["llm_request"] == turn.stages_s["eager_end"] < turn.stages_s["end_of_turn"]
    assert turn.stages_s["first_audio_sent"] == turn.stages_s["end_of_turn"]
    assert turn.overhead_ms == 0
    assert list(turn.stages_s.values()) == sorted(turn.stages_s.values())


async def test_what_is_held_goes_out_in_one_piece_and_the_rest_streams() -> None:
    async with guessing(Mind(["One two three four. Five six."])) as c:
        await seems_to_end(c)
        assert c.sounds() == [101]
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
        pieces = [sent.audio for sent in c.phone.sent if sent.what == "audio"][1:]
    assert [len(piece) / 8000 / WORD_S for piece in pieces] == [4, 1, 1]
    assert set(b"".join(pieces)) == {1}


async def test_only_the_first_clause_is_synthesised_behind_the_gate() -> None:
    async with guessing() as c:
        await seems_to_end(c)
        [context] = c.voice.contexts
        assert context.text == FIRST_CLAUSE
        assert not context.finished
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
        assert context.text == ANSWER
        assert context.finished


async def test_a_guess_still_in_the_making_goes_on() -> None:
    async with guessing() as c:
        await seems_to_end(c, for_s=0.05)
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
    took_s = turn.stages_s["first_audio_sent"] - turn.stages_s["llm_request"]
    assert took_s == pytest.approx(2 * LLM_TOKEN_S + TTS_CHUNK_S)
    assert turn.overhead_ms == pytest.approx(0, abs=1e-6)
    assert c.sounds() == [101, 1]


async def test_nothing_is_on_record_or_redacted_before_the_turn_ends() -> None:
    async with guessing(tools=[Hand("find_slots")]) as c:
        await seems_to_end(c, for_s=2.0)
        assert shown(c) == []
        assert c.mask.told == ["Hello, how can I help?"]
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
    assert c.mask.told[1:] == [ASKED, "Yes, we are.", "Until six."]
    kinds = [type(event) for event in shown(c)]
    assert kinds == [CallerSaid, AgentSaid, AgentSaid, TurnFinished]


@pytest.mark.parametrize("said", ["are you open on tuesday", "Are you open on Tuesday, um?", ASKED])
async def test_the_same_words_written_otherwise_are_the_same_turn(said: str) -> None:
    async with guessing() as c:
        await seems_to_end(c)
        c.ear.hears(EndOfTurn(said))
        await turn_finished(c)
        c.says("Good.")
        await c.passes(1)
    assert [message.content for message in c.mind.requests[1]][2:] == [said, ANSWER, "Good."]


async def test_a_goodbye_behind_the_gate_ends_the_call_only_after_the_turn() -> None:
    async with guessing(Mind([ToolCall("c", "end_call", "{}")])) as c:
        await seems_to_end(c, "No thanks, bye.", for_s=2.0)
        assert c.task is not None
        assert not c.task.done()
        c.ear.hears(EndOfTurn("No thanks, bye."))
        assert (await c.outcome()).reason == "goodbye"
    assert c.sounds() == [101, 106]


async def test_audio_beyond_the_bound_waits_in_the_synthesiser() -> None:
    long = "one two three four five six seven eight nine ten"
    async with guessing(Mind([long]), speculation_held_s=3 * WORD_S) as c:
        await seems_to_end(c, for_s=5.0)
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
        pieces = [sent.audio for sent in c.phone.sent if sent.what == "audio"][1:]
    assert len(pieces[0]) == 3 * WORD_S * 8000
    assert sum(map(len, pieces)) == 10 * WORD_S * 8000


# --- a wrong guess


async def test_resumed_speech_drops_the_guess_without_a_trace() -> None:
    async with guessing() as c:
        await seems_to_end(c, for_s=0.05)
        c.ear.hears(TurnResumed())
        await c.passes(0.1)
        assert c.mind.cancelled == 1
        more = ASKED + " Or on Monday?"
        c.ear.hears(InterimTranscript(more), EndOfTurn(more))
        turn = await turn_finished(c)
    assert c.mind.requests[1][2:] == c.mind.requests[1][-1:]
    assert c.mind.requests[1][-1].content == more
    assert [said.text for said in c.diary.of(AgentSaid)][1:] == ["Then not."]
    assert turn.speculated == "thrown"
    assert turn.wasted_tokens > 0


async def test_a_dropped_guess_never_sounds_whatever_its_voice_still_sends() -> None:
    async with guessing() as c:
        await seems_to_end(c)
        c.ear.hears(TurnResumed())
        await c.passes(0.01)
        [context] = c.voice.contexts
        assert context.cancelled
        assert context.left
        await c.passes(3)
        assert c.sounds() == [101]


async def test_other_words_at_the_end_start_a_fresh_reply_in_the_same_instant() -> None:
    async with guessing() as c:
        await seems_to_end(c)
        c.ear.hears(EndOfTurn("Are you open on Thursday?"))
        ended_s = now_s()
        turn = await turn_finished(c)
    assert c.mind.asked_s[1] == ended_s
    assert c.mind.requests[1][-1].content == "Are you open on Thursday?"
    assert c.sounds() == [101, 2]
    assert (turn.speculated, turn.guesses_dropped) == ("thrown", 1)


async def test_what_a_guess_cost_is_estimated_where_the_server_does_not_tell() -> None:
    async with guessing() as c:
        await seems_to_end(c, for_s=2.0)
        c.ear.hears(EndOfTurn("Something else"))
        turn = await turn_finished(c)
    said_chars = len(ANSWER)
    prompt_chars = sum(len(message.content) for message in c.mind.requests[0])
    assert turn.wasted_tokens >= (prompt_chars + said_chars) / 4
    assert turn.wasted_tokens < (prompt_chars + said_chars) / 4 + 80, "the tools' specification is some 60"


async def test_keys_drop_the_guess() -> None:
    async with guessing() as c:
        await seems_to_end(c)
        c.runner.dtmf("5")
        await c.passes(0.01)
        assert c.mind.requests[0]
        assert c.voice.contexts[0].left
        c.ear.hears(EndOfTurn(ASKED))
        await c.passes(0.1)
    assert c.mind.requests[1][-1].content == f"{ASKED} (keypad) 5"


async def test_hanging_up_in_the_midst_of_a_guess_leaves_nothing() -> None:
    async with guessing() as c:
        await seems_to_end(c, for_s=0.1)
        await c.hang_up()
        assert shown(c) == []
        [finished] = c.diary.of(CallFinished)
    assert finished.wasted_tokens > 0


async def test_cancelling_the_call_in_the_midst_of_a_guess_leaves_nothing() -> None:
    async with guessing() as c:
        await seems_to_end(c, for_s=0.1)
        assert c.task is not None
        c.task.cancel()
        await asyncio.wait([c.task])
        assert c.mind.cancelled == 1
        assert shown(c) == []


# --- limits


async def test_a_turn_has_so_many_guesses() -> None:
    async with guessing(Mind(*[[ANSWER]] * 9), max_speculations_per_turn=2) as c:
        c.speaks("Are")
        for word in range(5):
            c.ear.hears(EagerEndOfTurn(f"Are you {word}"))
            await c.passes(0.1)
            c.ear.hears(TurnResumed())
        assert len(c.mind.requests) == 2
        c.ear.hears(EndOfTurn("Are you 4"))
        await turn_finished(c)
        await seems_to_end(c)
        assert len(c.mind.requests) == 4


async def test_a_call_wastes_so_many_tokens_and_then_waits_for_ends() -> None:
    async with guessing(Mind(*[[ANSWER]] * 9), speculation_tokens_per_call=1) as c:
        await seems_to_end(c)
        c.ear.hears(EndOfTurn("Something else"))
        await turn_finished(c)
        await seems_to_end(c)
        assert len(c.mind.requests) == 2
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
    assert (turn.speculated, turn.wasted_tokens) == ("none", 0)


async def test_without_speculation_the_end_of_the_turn_is_waited_for() -> None:
    async with guessing(level="off") as c:
        await seems_to_end(c)
        assert c.mind.requests == []


# --- tools


async def test_a_tool_that_only_reads_runs_behind_the_gate_and_one_with_an_effect_waits() -> None:
    reads, acts = Hand("find_slots", takes_s=0.2), Hand("claim_slot", effectful=True)
    mind = Mind([ToolCall("a", "find_slots", "{}"), ToolCall("b", "claim_slot", "{}")], ["It is yours."])
    async with guessing(mind, tools=[reads, acts]) as c:
        await seems_to_end(c, for_s=3.0)
        assert (reads.ended, len(acts.begun)) == (1, 0)
        assert shown(c) == []
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
        assert (len(reads.begun), len(acts.begun)) == (1, 1)
        finished = {each.name: each.outcome for each in c.diary.of(ToolFinished)}
    assert finished == {"find_slots": "done", "claim_slot": "done"}
    assert [said.text for said in c.diary.of(AgentSaid)][1:] == ["It is yours."]


async def test_an_effect_of_a_dropped_guess_never_begins() -> None:
    acts = Hand("claim_slot", effectful=True)
    mind = Mind(["One moment. ", ToolCall("a", "claim_slot", "{}")], ["Which one?"])
    async with guessing(mind, tools=[acts]) as c:
        await seems_to_end(c, "The first one")
        c.ear.hears(TurnResumed(), EndOfTurn("The first one, no, wait"))
        await turn_finished(c)
        assert acts.begun == []
        assert c.diary.of(ToolFinished) == []
        assert all(message.role != "tool" for message in c.mind.requests[1])


async def test_a_tool_forgets_what_it_told_on_a_wrong_guess() -> None:
    class Offering(Hand):
        """Each run offers one more slot."""

        def memory(self) -> Callable[[], None]:
            begun = list(self.begun)
            return lambda: setattr(self, "begun", begun)

    reads = Offering("find_slots")
    ask = ToolCall("a", "find_slots", "{}")
    mind = Mind([ask], [ask], ["At ten."], [ask], ["At eleven."])
    async with guessing(mind, tools=[reads]) as c:
        await seems_to_end(c)
        assert len(reads.begun) == 2
        c.ear.hears(TurnResumed())
        await c.passes(0.1)
        assert reads.begun == []
        c.ear.hears(EndOfTurn(ASKED + " Or on Monday?"))
        await turn_finished(c)
        assert len(reads.begun) == 1


async def test_a_tool_still_running_on_a_wrong_guess_is_stopped() -> None:
    reads = Hand("find_slots", takes_s=2.0)
    async with guessing(Mind([ToolCall("a", "find_slots", "{}")], ["At ten."]), tools=[reads]) as c:
        await seems_to_end(c)
        c.ear.hears(TurnResumed())
        await c.passes(3)
        assert (len(reads.begun), reads.ended) == (1, 0)
        assert c.diary.of(ToolFinished) == []


async def test_rounds_of_reading_tools_are_done_before_the_turn_ends() -> None:
    mind = Mind(["Let me look. ", ToolCall("a", "find_slots", "{}")], ["At ten."])
    async with guessing(mind, tools=[Hand("find_slots")]) as c:
        await seems_to_end(c, for_s=2.0)
        assert len(mind.requests) == 2
        assert [context.text for context in c.voice.contexts] == ["Let me look. "]
        c.ear.hears(EndOfTurn(ASKED))
        await turn_finished(c)
        assert [context.text for context in c.voice.contexts] == ["Let me look. ", "At ten."]
        assert c.sounds() == [101, 1, 2]


# --- faults


async def test_a_model_that_fails_behind_the_gate_is_asked_anew_and_nobody_apologises() -> None:
    broken = ProviderDropped("llm", "reset", retryable=True)
    async with guessing(Mind([broken], [broken], [ANSWER])) as c:
        await seems_to_end(c)
        assert shown(c) == []
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
    assert c.sounds() == [101, 1]
    assert (turn.outcome, turn.speculated) == ("answered", "thrown")
    assert c.diary.of(ProviderFailed) == []


async def test_a_voice_that_fails_behind_the_gate_says_the_whole_clause_again() -> None:
    broken = ProviderDropped("tts", "reset", retryable=True)
    async with guessing(voice=Voice(Fault(0, broken))) as c:
        await seems_to_end(c)
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
        assert [context.text for context in c.voice.contexts] == [FIRST_CLAUSE, ANSWER]
        assert c.sounds() == [101, 2]
        assert c.phone.all_heard().count(2) == 5 * WORD_S * 8000
    assert turn.speculated == "eager"
    assert [failed.action for failed in c.diary.of(ProviderFailed)] == ["retried"]


async def test_a_voice_that_stalls_in_what_was_held_is_noticed_after_the_turn() -> None:
    async with guessing(Mind(["Yes we are. Until six."]), Voice(Fault(2, None)), tts_idle_s=4.0) as c:
        await seems_to_end(c, for_s=5.5)
        assert [context.text for context in c.voice.contexts] == ["Yes we are. "]
        c.ear.hears(EndOfTurn(ASKED))
        ended_s = now_s()
        await c.passes(3.9)
        assert c.diary.of(ProviderFailed) == []
        await c.passes(3)
        assert [(failed.fault, failed.action) for failed in c.diary.of(ProviderFailed)] == [
            ("idle", "retried")
        ]
        second = next(sent for sent in c.phone.sent if sent.what == "audio" and sent.audio[0] == 2)
        assert second.at_s == pytest.approx(ended_s + 4.0 + TTS_CHUNK_S)
        assert [c.phone.all_heard().count(voice) / 8000 / WORD_S for voice in (1, 2)] == [2, 3]


# --- beside an interruption


async def test_an_interruption_that_seems_to_end_is_answered_on_a_guess() -> None:
    mind = Mind(["One two three four five six seven eight."], ["Go ahead."])
    async with guessing(mind) as c:
        c.says(ASKED)
        await c.passes(1.0)
        c.ear.hears(SpeechStarted(), InterimTranscript("no wait"))
        await c.passes(0.1)
        c.ear.hears(EagerEndOfTurn("no wait"))
        await c.passes(0.5)
        assert len(mind.requests) == 2
        cleared = len(c.phone.sent)
        c.ear.hears(EndOfTurn("no wait"))
        turn = await turn_finished(c)
    assert turn.speculated == "eager"
    assert {sent.audio[0] for sent in c.phone.sent[cleared:] if sent.what == "audio"} == {2}


async def test_a_guess_waits_for_the_effect_of_the_turn_that_was_interrupted() -> None:
    acts = Hand("claim_slot", effectful=True, takes_s=2.0)
    mind = Mind([ToolCall("a", "claim_slot", "{}")], ["It is held."])
    async with guessing(mind, tools=[acts]) as c:
        c.says("The first one")
        await c.passes(0.5)
        await seems_to_end(c, "Is it done now?", for_s=0.5)
        assert len(mind.requests) == 1
        await c.passes(1.5)
        assert [message.content for message in mind.requests[1] if message.role == "tool"] == ['{"ok": true}']
        c.ear.hears(EndOfTurn("Is it done now?"))
        await turn_finished(c)


# --- from interim words


@pytest.mark.parametrize(("words", "rest_s"), [(ASKED.rstrip("?"), 0.3), (ASKED, 0.1)])
async def test_words_at_rest_are_answered_before_the_recogniser_thinks_of_an_end(
    words: str, rest_s: float
) -> None:
    """Those that end like a sentence after a shorter rest."""
    async with guessing(level="interim", interim_stable_s=0.3, interim_sentence_s=0.1) as c:
        c.speaks(words)
        at_s = now_s()
        await c.passes(1.0)
        assert c.mind.asked_s == [pytest.approx(at_s + rest_s)]
        c.ear.hears(EagerEndOfTurn(ASKED), EndOfTurn(ASKED))
        turn = await turn_finished(c)
    assert turn.speculated == "interim"
    assert len(c.mind.requests) == 1


async def test_a_word_more_drops_the_guess_and_the_new_words_are_guessed_from_anew() -> None:
    async with guessing(level="interim", interim_stable_s=0.3) as c:
        c.speaks("Are you")
        await c.passes(0.5)
        assert len(c.mind.requests) == 1
        c.ear.hears(InterimTranscript("Are you open"))
        at_s = now_s()
        await c.passes(0.29)
        assert len(c.mind.requests) == 1
        await c.passes(0.2)
        assert c.mind.asked_s[1] == pytest.approx(at_s + 0.3)
        c.ear.hears(EndOfTurn("Are you open?"))
        turn = await turn_finished(c)
    assert (turn.speculated, len(c.mind.requests)) == ("interim", 2)
    assert turn.wasted_tokens > 0


async def test_guesses_from_words_at_rest_leave_those_at_the_eager_end() -> None:
    """However many were thrown away, and whatever they cost."""
    limits = {"max_speculations_per_turn": 2, "speculation_tokens_per_call": 1}
    async with guessing(Mind(*[[ANSWER]] * 9), level="interim", interim_stable_s=0.3, **limits) as c:
        for words in ("Are", "Are you", "Are you open"):
            c.speaks(words)
            await c.passes(0.5)
        assert len(c.mind.requests) == 1
        at_s = now_s()
        await seems_to_end(c, for_s=0.5)
        assert c.mind.asked_s[1:] == [pytest.approx(at_s)]
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
    assert (turn.speculated, len(c.mind.requests)) == ("eager", 2)


async def test_other_words_after_the_eager_end_are_guessed_from_at_once() -> None:
    async with guessing(Mind(*[[ANSWER]] * 9)) as c:
        await seems_to_end(c, "Are you open on", for_s=0.1)
        c.ear.hears(InterimTranscript(ASKED))
        at_s = now_s()
        await c.passes(0.1)
        assert c.mind.asked_s[1:] == [pytest.approx(at_s)]
        c.ear.hears(EndOfTurn(ASKED))
        turn = await turn_finished(c)
    assert (turn.speculated, len(c.mind.requests)) == ("eager", 2)


async def test_a_comma_more_is_no_change() -> None:
    async with guessing(level="interim", interim_stable_s=0.3) as c:
        c.speaks("Tuesday")
        await c.passes(0.2)
        c.ear.hears(InterimTranscript("Tuesday,"))
        await c.passes(0.15)
        assert len(c.mind.requests) == 1
