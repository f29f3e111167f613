"""A stock phrase on its way to the line: from the cache in one piece, or synthesised."""

import asyncio
from collections.abc import Mapping

from pipeline.audio.mulaw import duration_s
from pipeline.conversation import Step
from pipeline.errors import ProviderError
from pipeline.events import AudioChunk
from pipeline.settings import Phrase
from pipeline.speech import Speech
from pipeline.streams import closing
from pipeline.transcript import SpeechKind
from pipeline.turn.playback import SpokenText, Take
from pipeline.turn.protocol import PhraseEnded, SayPhrase
from pipeline.turn.timeline import Timeline
from pipeline.utterance import CallParts


class CachedPhrase:
    """Has its audio. Goes out at once."""

    def __init__(self, order: SayPhrase, phrase: Phrase, mulaw: bytes, parts: CallParts, step: Step) -> None:
        self._order = order
        self._parts = parts
        self._step = step
        self._mulaw = mulaw
        self._take = (order.utterance, 0)
        self._spoken = SpokenText(audio_s=duration_s(mulaw), whole=True)
        self._spoken.append(phrase.text)
        self._transcript = parts.transcript(order.turn, spoken_kind(order))
        self._transcript.add(phrase.text)

    async def run(self) -> PhraseEnded:
        if self._order.kind != "filler" or self._parts.floor.is_idle():
            self._step.text = self._spoken.text
            await self._parts.floor.play(self._take, self._mulaw)
            self._transcript.end_sentence()
            self._transcript.sounds()
            await self._parts.floor.mark(self._take, self._spoken.audio_s)
        return PhraseEnded(self._order.utterance)

    def stop(self) -> None:
        """Its audio has gone out in one piece, or never will."""

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        length = self._spoken.sounded(heard_s.get(self._take, 0.0))
        self._step.text = self._spoken.text[:length]
        return self._transcript.heard(length)


class SynthesisedPhrase:
    """Has no audio yet: spoken like a reply. Says nothing if that fails."""

    def __init__(self, order: SayPhrase, phrase: Phrase, parts: CallParts, step: Step) -> None:
        self._order = order
        self._phrase = phrase
        self._parts = parts
        self._speech = Speech(order.utterance, parts.speech(order.turn, spoken_kind(order), Timeline()))
        self._speech.begin_segment(step)

    async def run(self) -> PhraseEnded:
        await self._speech.say(self._phrase.text)
        await self._speech.end_segment()
        self._speech.close()
        await self._speech.run()
        return PhraseEnded(self._order.utterance)

    def stop(self) -> None:
        self._speech.silence()

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        return self._speech.keep_heard(heard_s)


async def synthesised(phrase: Phrase, parts: CallParts) -> bytes | None:
    """The whole audio of a phrase, or None if the synthesiser fails or is slow."""
    audio = bytearray()
    try:
        async with asyncio.timeout(parts.settings.tts_first_audio_s), parts.tts.context() as context:
            await context.push(phrase.text)
            await context.finish()
            async with closing(context.events(), parts.settings.teardown_step_s) as events:
                async for event in events:
                    if isinstance(event, AudioChunk):
                        audio += event.mulaw
    except (ProviderError, TimeoutError):
        return None
    return bytes(audio) or None


class LateFiller:
    """A filler without cached audio: made whole first, and said only if the line is still silent then."""

    def __init__(self, order: SayPhrase, phrase: Phrase, parts: CallParts, step: Step) -> None:
        self._order = order
        self._phrase = phrase
        self._parts = parts
        self._step = step
        self._cached: CachedPhrase | None = None

    async def run(self) -> PhraseEnded:
        mulaw = await synthesised(self._phrase, self._parts)
        if mulaw is None:
            return PhraseEnded(self._order.utterance)
        self._cached = CachedPhrase(self._order, self._phrase, mulaw, self._parts, self._step)
        return await self._cached.run()

    def stop(self) -> None:
        """Nothing has gone out, or all of it."""

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        return self._cached.keep_heard(heard_s) if self._cached is not None else ""


Stock = CachedPhrase | SynthesisedPhrase | LateFiller


def stock_phrase(order: SayPhrase, parts: CallParts) -> Stock:
    """The utterance for this order. What the caller is told becomes history; a filler does not."""
    settings = parts.settings
    phrase = settings.greeting if order.kind == "greeting" else settings.phrase(order.kind)
    step = Step() if order.kind == "filler" else parts.conversation.new_step()
    if phrase.mulaw:
        return CachedPhrase(order, phrase, phrase.mulaw, parts, step)
    if order.kind == "filler":
        return LateFiller(order, phrase, parts, step)
    return SynthesisedPhrase(order, phrase, parts, step)


def spoken_kind(order: SayPhrase) -> SpeechKind:
    return "apology" if order.kind == "fault" else order.kind
