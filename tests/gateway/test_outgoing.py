"""A placed call's first words, what its model is told, and who does not want to be called."""

from dataclasses import replace
from uuid import uuid4

import pytest

from booking.calling_rules import GOAL, OPENING, CallBrief
from booking.contacts import Person, save_contact
from booking.db import fetch, org_transaction
from booking.orgs import load_profile
from booking.placed_calls import ask_for_call
from booking.types import Actor, OrgProfile, Recording
from compliance.spoken_consent import recording_question
from gateway.outgoing import Outgoing
from gateway.tools import call_tools
from tests.booking.texting import Post
from tests.gateway.desk import booking_of, mobile, use


@pytest.fixture
async def profile(post: Post) -> OrgProfile:
    found = await load_profile(post.messages.pool, post.claim)
    assert found is not None
    return found


def outgoing(name: str | None, goal: str | None, opening: str | None) -> Outgoing:
    return Outgoing(uuid4(), CallBrief(name, goal, opening))


async def test_a_campaign_gives_the_name_the_opening_and_the_goal(profile: OrgProfile) -> None:
    call = outgoing("Sarah", "to ask whether they are well", "It is {agent} again.")
    shown = call.profile(profile)
    assert shown.agent_name == "Sarah"
    introduced = "Hello, this is Sarah, the automated assistant of Harley Street Clinic."
    assert shown.greeting == f"{introduced} It is Sarah again."
    told = call.prompt(shown)
    assert "You call to ask whether they are well." in told
    assert shown.greeting in told


async def test_without_one_the_clinics_own_agent_calls(profile: OrgProfile) -> None:
    shown = outgoing(None, None, None).profile(profile)
    assert shown.agent_name == profile.agent_name
    assert shown.greeting.endswith(OPENING)
    assert GOAL in outgoing(None, None, None).prompt(shown)


@pytest.mark.parametrize(("recording", "asks"), [("kept", None), ("asked", "may"), ("off", None)])
async def test_a_clinic_that_asks_before_it_keeps_words_asks_here_too(
    profile: OrgProfile, recording: Recording, asks: str | None
) -> None:
    shown = outgoing(None, None, None).profile(replace(profile, recording=recording))
    assert recording_question(shown.greeting) == asks


async def test_only_who_is_asked_may_be_recorded_and_is_asked_for_just_that(profile: OrgProfile) -> None:
    call = replace(outgoing(None, None, None), records_sound=True)
    modes: tuple[Recording, ...] = ("kept", "announced", "asked", "off")
    for chosen in (replace(profile, recording=mode) for mode in modes):
        asks = chosen.recording == "asked"
        assert call.asks_for_sound(chosen) is asks
        assert call.profile(chosen).greeting.endswith("May we record this call?") is asks
    assert recording_question(call.profile(replace(profile, recording="asked")).greeting) == "may"


async def test_who_does_not_want_to_be_called_is_not_called_again(post: Post) -> None:
    pool, claim, placed_id = post.messages.pool, post.claim, uuid4()
    contact_id = await save_contact(pool, claim, post.messages.sealer, Person(mobile()))
    await fetch(pool, claim, "record_consent", "calls", True, "staff", contact_id, None, "operator", None)

    async def asked() -> str:
        return await ask_for_call(
            pool, claim, placed_id=uuid4(), contact_id=contact_id, campaign_id=None, actor=Actor("operator")
        )

    booking = await booking_of(post)
    assert "no_more_calls" not in {tool.spec.name for tool in call_tools(booking, lambda: None)}
    await ask_for_call(
        pool, claim, placed_id=placed_id, contact_id=contact_id, campaign_id=None, actor=Actor("operator")
    )
    booking.placed_id = placed_id
    assert (await use(booking, "no_more_calls"))[1]["noted"] is True
    async with org_transaction(pool, claim) as connection:
        await connection.execute(
            "update placed_calls set state = 'ended', outcome = 'talked', ended_at = now(), next_at = null"
        )
    assert await asked() == "declined"
