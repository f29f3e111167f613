"""Replies begun on a guess, in whole calls: heard sooner when right; when wrong, never heard, never done."""

from collections.abc import Sequence

import pytest

from bench.carrier import LiveCall
from bench.carrier.record import ClearCame, MediaCame
from bench.simulators.replies import ChatFault, Reply, WireMessage, WireTool
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, Rig, ask, say

HALF, REST = "I would like to know about the,", "prices please."
RIGHT, WRONG = "A visit costs fifty pounds.", "That is a wrong guess. It would go on."
LONG = "Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 11))


def answer(messages: Sequence[WireMessage], _: Sequence[WireTool]) -> Reply:
    """Right once all has been said."""
    return Reply(RIGHT if messages[-1]["content"].endswith(REST) else WRONG)


async def asked(live: LiveCall, made: Rig, text: str) -> None:
    """The model has been asked what to reply to this."""
    await live.until(lambda _: any(each.messages[-1]["content"] == text for each in made.chat.requests))


async def in_two_halves(live: LiveCall, made: Rig) -> None:
    """The caller pauses until the first half is taken for the whole, and goes on then."""
    await say(live)
    await asked(live, made, HALF)
    await live.until(lambda record: record.now_ms % 100 == 0)
    await say(live)


@pytest.mark.parametrize("stt_model", ["flux-general-en", "nova-3"])
async def test_a_right_guess_is_heard_as_soon_as_the_turn_has_ended(calling: Calling, stt_model: str) -> None:
    async with calling(["What does it cost."], [RIGHT], SPECULATION="eager", STT_MODEL=stt_model) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
        [turn] = await made.events("TurnFinished")
    stages = turn["stages_s"]
    assert turn["speculated"] == "eager"
    assert len(made.chat.requests) == 1
    assert stages["eager_end"] <= stages["llm_request"] < stages["end_of_turn"]
    assert stages["tts_first_audio"] < stages["end_of_turn"] <= stages["first_audio_sent"]
    assert (stages["first_audio_sent"] - stages["end_of_turn"]) * 1000 <= turn["overhead_ms"] + 1
    assert turn["overhead_ms"] < 50


async def test_speech_that_goes_on_drops_the_guess_without_a_trace(calling: Calling) -> None:
    async with calling([HALF, REST], [answer] * 2, SPECULATION="eager") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await in_two_halves(live, made)
            await live.agent_answers(500)
        [turn] = await made.events("TurnFinished")
        rows = await made.turn_rows()
        heard = bytes(live.record.agent_channel)
        wrong, right = await made.sound_of(WRONG), await made.sound_of(RIGHT)
        told = [message["content"] for message in made.asked(1)][-1]
    assert turn["speculated"] == "eager"
    assert turn["wasted_tokens"] > 0
    [given] = [context.texts for context in made.contexts() if WRONG.startswith(context.texts[0])]
    assert turn["wasted_characters"] == len("".join(given)), "the first clause of the wrong one"
    [kept] = [row for row in rows if row["turn"] == turn["turn"]]
    waste = ("speculated", "wasted_tokens", "wasted_characters")
    assert [kept[name] for name in waste] == [turn[name] for name in waste]
    assert right in heard
    assert wrong[:4000] not in heard
    assert told == f"{HALF} {REST}"
    assert len(made.of_kind("CallerSaid")) == 1
    assert "wrong" not in str((made.feed, rows, made.asked(1)))
    [guess] = [context for context in made.contexts() if "wrong" in "".join(context.texts)]
    assert guess.cancelled


async def test_words_at_rest_are_answered_and_other_words_answered_anew(calling: Calling) -> None:
    async with calling([HALF, REST], [answer] * 3, SPECULATION="interim") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await in_two_halves(live, made)
            await live.agent_answers(500)
        [turn] = await made.events("TurnFinished")
        heard = bytes(live.record.agent_channel)
        wrong, right = await made.sound_of(WRONG), await made.sound_of(RIGHT)
    assert turn["speculated"] == "interim"
    assert turn["wasted_tokens"] > 0
    assert turn["stages_s"]["llm_request"] < turn["stages_s"]["eager_end"]
    assert made.chat.requests[-1].messages[-1]["content"] == f"{HALF} {REST}"
    assert right in heard
    assert wrong[:4000] not in heard


async def test_no_slot_is_held_on_a_guess(calling: Calling) -> None:
    lines = ["I'd like a rhinoplasty consultation.", "I would like the,", "first one please."]
    offered = [Reply("", (OFFER,)), "At ten or at eleven?"]
    claims = [Reply("", (CLAIM,)), Reply("", (CLAIM,)), "That is held."]
    async with calling(lines, [*offered, *claims], SPECULATION="eager") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
            await say(live)
            await asked(live, made, lines[1])
            await live.until(lambda _: made.chat.requests[2].finished)
            await live.until(lambda record: record.now_ms % 200 == 0)
            assert await made.holds() == []
            await say(live)
            await live.agent_answers(500)
            made.keeps_hold(live)
        assert len(await made.holds()) == 1
    assert [name for name, _ in made.tools()] == ["find_slots", "claim_slot"]


async def test_a_slot_that_a_right_guess_asks_for_is_held_once(calling: Calling) -> None:
    lines = ["I'd like a rhinoplasty consultation.", "The first one please."]
    replies = [Reply("", (OFFER,)), "At ten or at eleven?", Reply("", (CLAIM,)), "That is held."]
    async with calling(lines, replies, SPECULATION="eager") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live)
            made.keeps_hold(live)
        turns = await made.events("TurnFinished", 2)
        assert len(await made.live_holds()) == 1
    assert [turn["speculated"] for turn in turns] == ["eager", "eager"]
    assert made.tools() == [("find_slots", "found"), ("claim_slot", "held")]


async def test_an_interruption_is_answered_on_a_guess_and_nothing_follows_its_clear(calling: Calling) -> None:
    lines = ["Tell me about the clinic.", "Sorry, I have to stop you there."]
    async with calling(lines, [LONG, "Go ahead."], SPECULATION="eager") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await say(live)
            await live.agent_speaks(800)
            await say(live)
            await made.events("BargedIn")
            await live.agent_answers(500)
        turns = await made.events("TurnFinished", 2)
        answer_ms = len(await made.sound_of("Go ahead.")) / 8
    wire = live.record.wire
    [clear] = [event for event in wire if isinstance(event, ClearCame)]
    media = [event for event in wire[wire.index(clear) + 1 :] if isinstance(event, MediaCame)]
    assert abs(sum(event.length_ms for event in media) - answer_ms) <= 20
    assert [turn["outcome"] for turn in turns] == ["interrupted", "answered"]
    assert turns[1]["speculated"] == "eager"


async def test_a_model_that_fails_on_a_guess_is_asked_anew_and_nobody_apologises(calling: Calling) -> None:
    async with calling(["What does it cost."], [RIGHT] * 3, SPECULATION="eager") as made:
        made.chat.faults.add(ChatFault(status=500), times=2)
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
        [turn] = await made.events("TurnFinished")
    assert (turn["outcome"], turn["speculated"]) == ("answered", "thrown")
    assert made.of_kind("ProviderFailed") == []


async def test_hanging_up_during_a_guess_leaves_nothing(calling: Calling) -> None:
    async with calling([HALF], [WRONG], SPECULATION="eager") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            heard = len(live.record.agent_channel.rstrip(b"\xff"))
            await say(live)
            await asked(live, made, HALF)
            live.hang_up()
            await live.ended()
        [finished] = await made.events("CallFinished")
        assert len(live.record.agent_channel.rstrip(b"\xff")) == heard
        assert [row["turn"] for row in await made.turn_rows()] == [0]
    assert finished["wasted_tokens"] > 0
    assert made.of_kind("CallerSaid") == made.of_kind("TurnFinished") == []
