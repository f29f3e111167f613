"""The caller interrupts: the line is cleared, nothing of the old reply follows, what was heard is kept."""

import pytest

from pipeline.audio.mulaw import silence
from pipeline.events import BargedIn, EndOfTurn, InterimTranscript, SpeechStarted, TurnFinished
from tests.pipeline.runner.world import CallInProgress, Mind, Voice, call, now_s

LONG = "One two three four five six seven eight nine ten eleven twelve."
LOUD = b"\x10\x90" * 80


async def interrupted(c: CallInProgress, after_s: float, text: str = "wait a moment") -> float:
    """The caller gets an answer and interrupts it; when."""
    await c.greeted()
    c.says("Hello")
    await c.passes(after_s)
    c.speaks(text)
    at_s = now_s()
    await c.passes(0.01)
    return at_s


async def test_the_line_is_cleared_at_once_and_stays_silent() -> None:
    async with call(Mind([LONG])) as c:
        at_s = await interrupted(c, 1.0)
        assert c.cleared() == [pytest.approx(at_s, abs=0.001)]
        await c.passes(3)
        clear = next(i for i, sent in enumerate(c.phone.sent) if sent.what == "clear")
        assert not [sent for sent in c.phone.sent[clear + 1 :] if sent.what in ("audio", "mark")]


async def test_model_and_voice_are_cancelled() -> None:
    async with call(Mind(["First sentence. ", 2.0, "Second sentence."])) as c:
        await interrupted(c, 0.6)
        assert c.mind.cancelled == 1
        assert c.voice.contexts[0].cancelled
        assert c.voice.contexts[0].left


async def test_the_history_keeps_what_was_heard_and_no_more() -> None:
    mind = Mind([LONG], ["Yes?"])
    async with call(mind) as c:
        await interrupted(c, 1.5)
        heard_bytes = c.phone.heard.count(1)
        c.ear.hears(EndOfTurn("wait a moment"))
        await c.passes(0.1)
        kept = mind.requests[1][-2].content
        assert LONG.startswith(kept)
        assert len(kept.split()) == heard_bytes // 2000 == 4
        [barged] = c.diary.of(BargedIn)
        assert barged.heard == kept
        assert barged.clear_ms < 1
        assert [turn.outcome for turn in c.diary.of(TurnFinished)] == ["interrupted"]


@pytest.mark.parametrize("word_times", [True, False])
@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("after_s", [0.3, 0.7, 1.6, 2.9])
async def test_never_more_is_kept_than_was_played(after_s: float, marks: bool, word_times: bool) -> None:
    mind, voice = Mind([LONG], ["Yes?"]), Voice()
    voice.word_times = word_times
    async with call(mind, voice) as c:
        c.phone.returns_marks = marks
        await interrupted(c, after_s)
        c.ear.hears(EndOfTurn("wait a moment"))
        await c.passes(0.1)
        kept = [message.content for message in mind.requests[1][3:-1]]
        words = len(" ".join(kept).split())
        # Without marks the wall clock alone bounds it, and that runs ahead of the line by its delay.
        assert words <= c.phone.heard.count(1) // 2000 + (0 if marks and word_times else 1)


async def test_backchannels_do_not_interrupt() -> None:
    async with call(Mind([LONG])) as c:
        await interrupted(c, 1.0, "mm-hm")
        c.ear.hears(EndOfTurn("Mm-hm."))
        await c.passes(4)
        assert c.cleared() == []
        assert c.phone.all_heard().count(1) == 12 * 2000
        assert len(c.mind.requests) == 1


async def test_a_backchannel_that_grows_into_words_interrupts() -> None:
    async with call(Mind([LONG])) as c:
        await interrupted(c, 1.0, "yes")
        assert c.cleared() == []
        c.ear.hears(InterimTranscript("yes but not Tuesday"))
        await c.passes(0.01)
        assert len(c.cleared()) == 1


async def test_a_yes_over_the_end_of_our_question_is_its_answer() -> None:
    mind = Mind(["Shall I hold it?"], ["It is held."])
    async with call(mind) as c:
        await interrupted(c, 0.9, "yes")
        c.ear.hears(EndOfTurn("Yes."))
        await c.passes(1)
        assert c.cleared() == []
        assert mind.requests[1][-1].content == "Yes."


async def test_noise_without_words_does_not_interrupt() -> None:
    async with call(Mind([LONG])) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(1)
        c.ear.hears(SpeechStarted())
        await c.passes(1)
        c.ear.hears(EndOfTurn(""))
        await c.passes(5)
        assert c.cleared() == []
        assert c.phone.all_heard().count(1) == 12 * 2000


async def test_a_long_voice_interrupts_before_its_words_are_known() -> None:
    async with call(Mind([LONG], ["Go on."])) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(1)
        began_s = now_s()
        c.ear.hears(SpeechStarted())
        for _ in range(50):
            await c.runner.caller_audio(LOUD)
            await c.passes(0.02)
        assert c.cleared() == [pytest.approx(began_s + 0.8, abs=0.03)]
        await c.runner.caller_audio(silence(20))


async def test_a_reply_that_noise_cut_off_is_taken_up_again() -> None:
    mind = Mind([LONG], ["four five six."])
    async with call(mind) as c:
        await interrupted(c, 1.0)
        c.ear.hears(EndOfTurn(""))
        await c.passes(4)
        assert [message.role for message in mind.requests[1]][-2:] == ["assistant", "system"]
        assert [turn.outcome for turn in c.diary.of(TurnFinished)] == ["interrupted", "answered"]


async def test_words_added_while_we_think_join_the_turn() -> None:
    mind = Mind([1.0, "Yes."], ["Tuesday then."])
    async with call(mind) as c:
        await c.greeted()
        c.says("I would like")
        await c.passes(0.5)
        c.says("to come on Tuesday")
        await c.passes(4)
        assert mind.requests[1][-1].content == "I would like to come on Tuesday"
        assert c.cleared() == []
        assert c.sounds() == [101, 1]
    assert not c.diary.of(BargedIn)


async def test_the_greeting_can_be_interrupted() -> None:
    mind = Mind(["Yes?"])
    async with call(mind) as c:
        await c.passes(0.5)
        c.says("I need an appointment")
        await c.passes(0.1)
        assert len(c.cleared()) == 1
        assert mind.requests[0][1].content == "Hello, how"


async def test_the_masked_part_of_a_heard_sentence_stays_masked() -> None:
    async with call(Mind(["Your code is 4711 and it is valid for ten minutes."])) as c:
        await interrupted(c, 1.3)
        [barged] = c.diary.of(BargedIn)
        assert "4" not in barged.heard
        assert "####" in barged.heard
