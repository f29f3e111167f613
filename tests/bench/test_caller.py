"""The recorded caller's manners, in front of a gateway that answers what it hears."""

import base64
from collections.abc import Awaitable, Callable

from bench.caller import Conversation, Manners, UnreadCode, hold_conversation, no_texts
from bench.carrier import Carrier, TwilioAccount
from bench.carrier.record import is_audible
from tests.bench.carrier.gateway import TOKEN, Media, gateway

VOICE = bytes([0x20, 0xA0]) * 80
PACE = 10
MANNERS = Manners(quiet_ms=200, patience_s=1.0, goodbye_s=1.0)


class Answering:
    """Greets, answers each utterance after 100 ms of silence, closes the socket after so many answers."""

    def __init__(self, answers: int) -> None:
        self.left = answers

    async def __call__(self, media: Media) -> None:
        await self.speak(media)
        silent_frames = 99
        while self.left and (frame := await media.until("media")) is not None:
            if is_audible(base64.b64decode(frame["media"]["payload"])):
                silent_frames = 0
                continue
            silent_frames += 1
            if silent_frames == 5:
                self.left -= 1
                await self.speak(media)
        await media.until("mark")
        await media.socket.close()

    async def speak(self, media: Media) -> None:
        await media.send("media", media={"payload": base64.b64encode(VOICE * 20).decode()})
        await media.send("mark", mark={"name": "end"})


async def call(
    behaviour: Callable[[Media], Awaitable[None]], turns: int, unread_code: UnreadCode = no_texts
) -> Conversation:
    async with (
        gateway(behaviour) as served,
        Carrier(served.url, TwilioAccount(auth_token=TOKEN), pace=PACE) as carrier,
        carrier.call("+442079460018") as live,
    ):
        return await hold_conversation(live, [VOICE * 10] * turns, MANNERS, unread_code)


async def test_each_turn_waits_for_the_answer_to_the_one_before() -> None:
    conversation = await call(Answering(3), 3)
    assert conversation.greeted
    assert conversation.turns_said == 3
    assert len(conversation.gaps_ms) == 3
    assert all(100 <= gap_ms < 1000 for gap_ms in conversation.gaps_ms)
    assert conversation.ended == "by_agent"


async def test_a_caller_who_is_not_answered_gives_up() -> None:
    conversation = await call(Answering(99), 0)
    assert conversation.ended == "by_caller"

    async def mute(media: Media) -> None:
        await media.until("stop")

    conversation = await call(mute, 2)
    assert not conversation.greeted
    assert conversation.turns_said == 0
    assert conversation.ended == "unanswered"


async def test_an_agent_that_ends_early_ends_the_conversation() -> None:
    conversation = await call(Answering(1), 3)
    assert conversation.turns_said < 3
    assert conversation.ended == "by_agent"


async def test_a_code_that_was_texted_is_typed_once_the_agent_is_quiet() -> None:
    texts, keys = ["421903", None], list[str]()

    async def unread() -> str | None:
        return texts.pop(0)

    async def behaviour(media: Media) -> None:
        answering = Answering(1)
        await answering.speak(media)
        silent_frames = 99
        while len(keys) < 7 and (frame := await media.receive()) is not None:
            if frame["event"] == "dtmf":
                keys.append(frame["dtmf"]["digit"])
            elif frame["event"] == "media":
                heard = is_audible(base64.b64decode(frame["media"]["payload"]))
                silent_frames = 0 if heard else silent_frames + 1
                if silent_frames == 5:
                    await answering.speak(media)
        await answering(media)

    conversation = await call(behaviour, 2, unread)
    assert "".join(keys) == "421903#"
    assert (conversation.codes_typed, conversation.turns_said, len(conversation.gaps_ms)) == (1, 2, 2)
