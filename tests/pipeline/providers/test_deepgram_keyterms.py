"""Words to expect: counted so that they surely fit, and told to every socket of the session."""

import asyncio
import json

import pytest

from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.deepgram_parameters import keyterm_tokens
from bench.simulators.faults import DropSocket, Inject
from pipeline.events import EndOfTurn
from pipeline.ports import TakesKeyterms
from pipeline.providers.deepgram import Deepgram, DeepgramConfig, DeepgramSession
from pipeline.providers.deepgram_keyterms import fitting

TERMS = ["Rhinoplasty", "Dr. Amara Okonkwo"]


def test_terms_are_cleaned_and_come_once() -> None:
    assert fitting(["  Botox ", "botox", "", " ", "lip\n\tfiller", "x\x00y"]) == (
        "Botox",
        "lip filler",
        "x y",
    )


@pytest.mark.parametrize("word", ["a", "rhinoplasty", "é" * 40, "anti wrinkle injections", "x" * 2_000])
def test_no_list_is_too_long(word: str) -> None:
    kept = fitting(f"{word} {number}" for number in range(1_000))
    assert len(kept) <= 100
    assert keyterm_tokens(kept) <= 500
    assert sum(len(part.encode()) for term in kept for part in term.split()) <= 2 * 500


def test_one_that_does_not_fit_does_not_keep_others_out() -> None:
    assert fitting(["x" * 1_001, "Botox"]) == ("Botox",)


async def turn(session: DeepgramSession) -> str:
    for at in range(0, len(speech := tone(1.0) + silence(1.6)), 160):
        await session.send_audio(speech[at : at + 160])
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        async for event in session.events():
            if isinstance(event, EndOfTurn):
                return event.text
    raise AssertionError("the session ended first")


@pytest.mark.parametrize("model", ["flux-general-en", "nova-3", "nova-2"])
async def test_every_socket_is_told_before_it_hears(model: str) -> None:
    told = [{"type": "Configure", "keyterms": TERMS}] if model != "nova-2" else []
    async with DeepgramSimulator(Script(["Hello.", "Tuesday."]).hearing) as simulator:
        config = DeepgramConfig("test-key", simulator.url, model, backoff_s=0.01, idle_after_s=5)
        async with Deepgram(config).session() as session:
            assert isinstance(session, TakesKeyterms)
            await session.set_keyterms(TERMS)
            assert await turn(session) == "Hello."
            simulator.faults.add(DropSocket())
            assert await turn(session) == "Tuesday."
        for vendor in simulator.sessions:
            assert [text for text in vendor.texts if text["type"] == "Configure"] == told
        answers = [sent["type"] for vendor in simulator.sessions for sent in vendor.sent]
    assert len(simulator.sessions) == 2
    assert answers.count("ConfigureSuccess") == 2 * len(told)
    assert "ConfigureFailure" not in answers


@pytest.mark.parametrize("model", ["flux-general-en", "nova-3"])
async def test_a_refused_list_costs_nothing_but_the_list(model: str) -> None:
    async with DeepgramSimulator(Script(["Hello."]).hearing) as simulator:
        config = DeepgramConfig("test-key", simulator.url, model, idle_after_s=5)
        refusal = json.dumps({"type": "ConfigureFailure", "code": "CONFIGURE_INTERNAL_ERROR"})
        simulator.faults.add(Inject(refusal))
        async with Deepgram(config).session() as session:
            await session.set_keyterms(TERMS)
            assert await turn(session) == "Hello."
            assert session.reconnects == 0
