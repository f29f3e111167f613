"""Speech contexts over real sockets against the simulated vendor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import pytest

from bench.simulators.cartesia import (
    CartesiaSimulator,
    DelaySpeech,
    DropSpeech,
    FreezeSocket,
    LateAudio,
    SpeechError,
    SpeechLimits,
    SpeechPace,
    StallSpeech,
)
from bench.simulators.faults import Inject, Refuse
from bench.simulators.offline.tone import ToneVoice
from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import AudioChunk, SpeechFinished, SpokenWords, TtsEvent
from pipeline.providers.cartesia import Cartesia, CartesiaConfig, CartesiaContext, fetch_phrase

MS_PER_CHAR = 10


@asynccontextmanager
async def vendor(
    pace: SpeechPace | None = None, limits: SpeechLimits | None = None
) -> AsyncIterator[CartesiaSimulator]:
    voice = ToneVoice(ms_per_char=MS_PER_CHAR)
    async with CartesiaSimulator(voice, pace=pace, limits=limits) as simulator:
        yield simulator


def config(simulator: CartesiaSimulator) -> CartesiaConfig:
    return CartesiaConfig("test-key", voice="v", url=simulator.url)


@asynccontextmanager
async def client(settings: CartesiaConfig) -> AsyncIterator[Cartesia]:
    cartesia = Cartesia(settings)
    try:
        yield cartesia
    finally:
        await cartesia.aclose()


async def rest(context: CartesiaContext) -> list[TtsEvent]:
    async with asyncio.timeout(10):
        return [event async for event in context.events()]


async def speak(cartesia: Cartesia, *clauses: str) -> list[TtsEvent]:
    async with cartesia.context() as context:
        for clause in clauses:
            await context.push(clause)
        await context.finish()
        return await rest(context)


def audio_ms(events: list[TtsEvent]) -> int:
    return sum(len(event.mulaw) for event in events if isinstance(event, AudioChunk)) // 8


def words(events: list[TtsEvent]) -> list[str]:
    return [word for event in events if isinstance(event, SpokenWords) for word in event.words]


async def first_chunk(context: CartesiaContext) -> None:
    async for event in context.events():
        if isinstance(event, AudioChunk):
            return


async def test_clauses_of_a_turn_share_one_context_and_come_back_whole() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        events = await speak(cartesia, "Good morning, ", "how can I help? ", "Dr. Patel is in.")
        assert words(events) == [
            *("Good", "morning,", "how", "can", "I", "help?"),
            *("Dr.", "Patel", "is", "in."),
        ]
        assert audio_ms(events) == MS_PER_CHAR * len("Good morning, how can I help? Dr. Patel is in.")
        assert events.count(SpeechFinished()) == 1
        assert events[-1] == SpeechFinished()
    [context] = simulator.contexts
    assert (context.texts, context.ended) == (
        ["Good morning, ", "how can I help? ", "Dr. Patel is in.", ""],
        "done",
    )


async def test_turns_share_one_warm_socket() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        await asyncio.gather(*(cartesia.warm_up() for _ in range(5)))
        for _ in range(3):
            await speak(cartesia, "Hello.")
        assert len(simulator.sockets) == 1
        assert len(simulator.contexts) == 3


async def test_turns_at_the_same_time_do_not_mix() -> None:
    texts = [f"Caller number {number}, please hold." for number in range(20)]
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        spoken = await asyncio.gather(*(speak(cartesia, text) for text in texts))
        assert [" ".join(words(events)) for events in spoken] == texts
        assert len({audio_ms(events) for events in spoken}) == 2
        assert len(simulator.sockets) == 1


async def test_nothing_to_pronounce_is_not_sent_ahead_of_words() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        assert await speak(cartesia, "", " ", "...") == [SpeechFinished()]
        assert simulator.contexts == []
        assert words(await speak(cartesia, "... ", "well")) == ["...", "well"]


async def test_nothing_is_heard_of_a_cancelled_turn() -> None:
    async with vendor(SpeechPace(audio_s_per_s=20)) as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(LateAudio(5))
        async with cartesia.context() as context:
            await context.push("A long sentence that goes on and on. " * 10)
            await first_chunk(context)
            context.cancel()
            assert await rest(context) == []
            await context.push("Not this.")
            await context.finish()
        assert words(await speak(cartesia, "Next.")) == ["Next."]
        [cancelled, _] = simulator.contexts
        await cancelled.over.wait()
        assert cancelled.cancelled
        assert len(simulator.sockets) == 1


async def test_leaving_early_cancels_at_the_vendor() -> None:
    async with vendor(SpeechPace(audio_s_per_s=20)) as simulator, client(config(simulator)) as cartesia:
        async with cartesia.context() as context:
            await context.push("A long sentence that goes on and on.")
            await first_chunk(context)
        await simulator.contexts[0].over.wait()
        assert simulator.contexts[0].cancelled


async def test_cancelled_reader_leaves_nothing_behind() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(StallSpeech(1))
        sounding = asyncio.Event()

        async def turn() -> None:
            async with cartesia.context() as context:
                await context.push("A sentence of some length, and more.")
                await first_chunk(context)
                sounding.set()
                await rest(context)

        talking = asyncio.create_task(turn())
        await sounding.wait()
        talking.cancel()
        await asyncio.wait({talking})
        assert words(await speak(cartesia, "Still here.")) == ["Still", "here."]


async def test_text_after_a_long_pause_goes_on_in_a_fresh_context() -> None:
    limits = SpeechLimits(context_expiry_s=0.15)
    async with vendor(limits=limits) as simulator:
        settings = replace(config(simulator), renew_after_s=0.1, retire_s=0.05)
        async with client(settings) as cartesia, cartesia.context() as context:
            await context.push("One moment. ")
            await first_chunk(context)
            await simulator.contexts[0].over.wait()
            assert simulator.contexts[0].ended == "expired"
            await context.push("Tuesday is free.")
            await context.finish()
            events = await rest(context)
        assert words(events)[-3:] == ["Tuesday", "is", "free."]
        begun_s = MS_PER_CHAR * len("One moment. ") / 1000
        starts = [event.starts_s[0] for event in events if isinstance(event, SpokenWords)]
        assert starts[-1] == pytest.approx(begun_s, abs=0.001)
        assert events[-1] == SpeechFinished()
        assert len(simulator.contexts) == 2


async def test_turn_that_ends_after_its_context_expired_is_finished_all_the_same() -> None:
    limits = SpeechLimits(context_expiry_s=0.15)
    async with vendor(limits=limits) as simulator:
        settings = replace(config(simulator), renew_after_s=0.1)
        async with client(settings) as cartesia, cartesia.context() as context:
            await context.push("One moment.")
            await first_chunk(context)
            await simulator.contexts[0].over.wait()
            await context.finish()
            assert (await rest(context))[-1] == SpeechFinished()


async def another_socket(simulator: CartesiaSimulator, count: int) -> None:
    """Until so many have been opened in all."""
    async with asyncio.timeout(10):
        while len(simulator.sockets) < count:  # noqa: ASYNC110  the simulator tells of no opening
            await asyncio.sleep(0.01)


async def test_idle_socket_closed_by_the_vendor_is_replaced_before_the_next_turn() -> None:
    limits = SpeechLimits(idle_socket_s=0.3)
    async with vendor(limits=limits) as simulator, client(config(simulator)) as cartesia:
        await speak(cartesia, "Hello.")
        simulator.limits.idle_socket_s = 60.0  # of the next one
        await another_socket(simulator, 2)
        assert simulator.sockets[0].close_code == 1000
        assert words(await speak(cartesia, "Again.")) == ["Again."]
        assert len(simulator.sockets) == 2, "the turn found it open"


async def test_a_socket_that_nobody_asks_for_is_replaced_once() -> None:
    limits = SpeechLimits(idle_socket_s=0.1)
    async with vendor(limits=limits) as simulator, client(config(simulator)) as cartesia:
        await cartesia.warm_up()
        await another_socket(simulator, 2)
        await simulator.sockets[1].closed.wait()
        await asyncio.sleep(0.2)
        assert len(simulator.sockets) == 2
        simulator.limits.idle_socket_s = 60.0
        assert words(await speak(cartesia, "Again.")) == ["Again."]


async def test_a_frozen_socket_is_found_out_at_the_first_text_and_costs_the_turns_after_it_nothing() -> None:
    async with vendor() as simulator:
        settings = replace(config(simulator), alive_s=0.2)
        async with client(settings) as cartesia:
            await speak(cartesia, "Hello.")
            simulator.faults.add(FreezeSocket())
            await asyncio.sleep(0.3)  # so long unheard that it has to show that it is there
            with pytest.raises(ProviderDropped, match="no_answer") as failure:
                await speak(cartesia, "Anybody there?")
            assert failure.value.retryable
            assert words(await speak(cartesia, "Again.")) == ["Again."]
            assert len(simulator.sockets) == 2


async def test_a_socket_that_answers_pings_alone_gets_no_further_context() -> None:
    async with vendor() as simulator:
        settings = replace(config(simulator), alive_s=0.1, first_audio_s=0.3)
        async with client(settings) as cartesia:
            simulator.faults.add(StallSpeech())
            with pytest.raises(ProviderStalled):
                await speak(cartesia, "Anybody there?")
            assert words(await speak(cartesia, "Again.")) == ["Again."]
            assert len(simulator.sockets) == 2


async def test_a_slow_context_on_a_socket_that_serves_others_is_no_reason_to_leave_it() -> None:
    async with vendor() as simulator:
        settings = replace(config(simulator), alive_s=0.1, first_audio_s=0.5)
        async with client(settings) as cartesia:
            simulator.faults.add(StallSpeech())
            waiting = asyncio.create_task(speak(cartesia, "Anybody there?"))
            while not simulator.contexts:  # noqa: ASYNC110  nor of a first text
                await asyncio.sleep(0.01)
            assert words(await speak(cartesia, "Meanwhile.")) == ["Meanwhile."]
            with pytest.raises(ProviderStalled):
                await waiting
            await speak(cartesia, "Again.")
            assert len(simulator.sockets) == 1


@pytest.mark.parametrize("code", [None, 1011])
@pytest.mark.parametrize("after_chunks", [0, 2])
async def test_drop_in_mid_turn_fails_the_turn_and_not_the_next(code: int | None, after_chunks: int) -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(DropSpeech(after_chunks, code))
        with pytest.raises(ProviderDropped) as failure:
            await speak(cartesia, "A sentence of some length, and more.")
        assert failure.value.retryable
        assert words(await speak(cartesia, "Again.")) == ["Again."]


@pytest.mark.parametrize(
    ("status", "code", "fault", "retryable"),
    [
        (429, "concurrency_limited", "concurrency_limited", True),
        (500, None, "status_500", True),
        (400, "voice_not_found", "voice_not_found", False),
    ],
)
@pytest.mark.parametrize("after_chunks", [0, 2])
async def test_error_of_a_context_fails_that_context(
    status: int, code: str | None, fault: str, retryable: bool, after_chunks: int
) -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(SpeechError(status, code, after_chunks))
        with pytest.raises(ProviderRefused) as failure:
            await speak(cartesia, "A sentence of some length, and more.")
        assert (failure.value.fault, failure.value.retryable) == (fault, retryable)
        await speak(cartesia, "Again.")
        assert len(simulator.sockets) == 1


async def test_error_without_a_context_fails_all_and_the_next_turn_gets_a_fresh_socket() -> None:
    async with vendor(SpeechPace(audio_s_per_s=5)) as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(SpeechError(500, None, 2, with_context_id=False))
        both = await asyncio.gather(
            speak(cartesia, "A sentence of some length, and more."),
            speak(cartesia, "Another one of the same length."),
            return_exceptions=True,
        )
        assert [type(failure) for failure in both] == [ProviderRefused, ProviderRefused]
        assert words(await speak(cartesia, "Again.")) == ["Again."]
        assert len(simulator.sockets) == 2


@pytest.mark.parametrize(("after_chunks", "fault"), [(0, "no_first_audio"), (2, "audio_stalled")])
async def test_stall_is_noticed(after_chunks: int, fault: str) -> None:
    async with vendor() as simulator:
        hasty = replace(config(simulator), first_audio_s=0.1, idle_s=0.1)
        async with client(hasty) as cartesia:
            simulator.faults.add(StallSpeech(after_chunks))
            with pytest.raises(ProviderStalled, match=fault):
                await speak(cartesia, "A sentence of some length, and more.")
            assert words(await speak(cartesia, "Again.")) == ["Again."]


async def test_waiting_for_text_is_no_stall() -> None:
    async with vendor() as simulator:
        hasty = replace(config(simulator), first_audio_s=0.05, idle_s=0.05)
        async with client(hasty) as cartesia, cartesia.context() as context:
            reading = asyncio.create_task(rest(context))
            done, _ = await asyncio.wait({reading}, timeout=0.2)
            assert not done
            await context.push("Here it is. ")
            done, _ = await asyncio.wait({reading}, timeout=0.2)
            assert not done
            await context.finish()
            assert words(await reading) == ["Here", "it", "is."]


async def test_slow_first_audio_within_the_deadline_is_waited_for() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(DelaySpeech(0.2))
        assert words(await speak(cartesia, "Hello.")) == ["Hello."]


@pytest.mark.parametrize("frame", ["garbage", '{"type":"new"}', b"\x00\xff", "[]", '{"type":"chunk"}'])
async def test_odd_messages_are_skipped(frame: str | bytes) -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(Inject(frame))
        assert words(await speak(cartesia, "Hello.")) == ["Hello."]


async def test_audio_that_nobody_reads_fails_its_turn_alone() -> None:
    async with vendor() as simulator, client(replace(config(simulator), max_queued_events=3)) as cartesia:
        async with cartesia.context() as context:
            await context.push("A sentence of some length, and much more of it. " * 3)
            await context.finish()
            await first_chunk(context)
            await simulator.contexts[0].over.wait()
            with pytest.raises(ProviderStalled, match="audio_unread"):
                await rest(context)
        assert words(await speak(cartesia, "Next.")) == ["Next."]


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (402, False), (429, True), (503, True)])
async def test_refused_socket(status: int, retryable: bool) -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        simulator.faults.add(Refuse(status), times=None)
        await cartesia.warm_up()
        with pytest.raises(ProviderRefused) as refusal:
            await speak(cartesia, "Hello.")
        assert (refusal.value.fault, refusal.value.retryable) == (f"http_{status}", retryable)


async def test_nobody_there_and_closed_clients() -> None:
    async with vendor() as simulator:
        gone = config(simulator)
    async with client(gone) as cartesia:
        await cartesia.warm_up()
        with pytest.raises(ProviderDropped, match="unreachable"):
            await speak(cartesia, "Hello.")
    with pytest.raises(ProviderDropped, match="client_closed"):
        await speak(cartesia, "Hello.")


async def test_closing_the_client_fails_open_turns() -> None:
    async with vendor() as simulator:
        cartesia = Cartesia(config(simulator))
        simulator.faults.add(StallSpeech())
        async with cartesia.context() as context:
            await context.push("Hello.")
            await cartesia.aclose()
            with pytest.raises(ProviderDropped):
                await rest(context)


async def test_phrase_is_made_over_http() -> None:
    async with vendor() as simulator:
        phrase = await fetch_phrase(config(simulator), "Good morning.")
        assert len(phrase) == 8 * MS_PER_CHAR * len("Good morning.")


@pytest.mark.parametrize(
    ("scheme", "fault"), [("http", Refuse(401)), ("ws", Refuse(503)), ("http", DropSpeech())]
)
async def test_phrase_that_cannot_be_had(scheme: Literal["http", "ws"], fault: Refuse | DropSpeech) -> None:
    async with vendor() as simulator:
        simulator.faults.add(fault)
        settings = replace(config(simulator), url=simulator.url.replace("http", scheme))
        with pytest.raises(ProviderError):
            await fetch_phrase(settings, "Good morning.")
        assert await fetch_phrase(settings, "Good morning.")


async def test_voices_and_models_of_one_key_speak_side_by_side_over_one_socket() -> None:
    async with vendor() as simulator, client(config(simulator)) as cartesia:
        other = cartesia.voiced(replace(config(simulator), voice="w", model="sonic-3.5"))
        await other.warm_up()
        async with cartesia.context() as first, other.context() as second:
            for context, text in ((first, "Good morning."), (second, "Good evening.")):
                await context.push(text)
                await context.finish()
            heard = await asyncio.gather(rest(first), rest(second))
    assert [words(events) for events in heard] == [["Good", "morning."], ["Good", "evening."]]
    [socket] = simulator.sockets
    asked = {(message["voice"]["id"], message["model_id"]) for message in socket.messages}
    assert asked == {("v", "sonic-3"), ("w", "sonic-3.5")}


@pytest.mark.parametrize("change", [{"api_key": "another"}, {"url": "http://127.0.0.1:9"}])
async def test_a_socket_is_not_lent_to_another_key_or_server(change: dict[str, str]) -> None:
    settings = CartesiaConfig("test-key", voice="v", url="http://127.0.0.1:8")
    async with client(settings) as cartesia:
        with pytest.raises(ValueError, match="another key"):
            cartesia.voiced(
                CartesiaConfig(**({"api_key": "test-key", "voice": "v", "url": settings.url} | change))
            )
