"""Whole calls of somebody who has been here before: the model knows, no record tells the name."""

import io

import asyncpg

from booking.contacts import Person, save_contact
from compliance.vault import MasterKey, Vault
from gateway.metrics import Metrics
from gateway.sealing import VaultSealer
from tests.booking.patients import Desk
from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask
from tests.calls.test_canaries import every_column, every_key, found_in, logged
from tests.conftest import Clinic, Stack

__all__ = ["logged"]

CALLER, NAME = "+447700900177", "Xanthippe"
KEY = VaultSealer(Vault([MasterKey(bytes(range(32)))]))  # the gateway's


async def known(pool: asyncpg.Pool, clinic: Clinic) -> None:
    """Booked in an earlier call, at a clinic that uses names."""
    desk = Desk(pool, clinic, KEY)
    held = await desk.hold((await desk.free())[0])
    await desk.verify(held.hold_id, CALLER)
    await save_contact(pool, clinic.claim, KEY, Person(CALLER, f"{NAME} Canary"))
    await desk.confirm(held.hold_id, await desk.contact(CALLER))
    await desk.by_hand("update organizations set greets_by_name = true")


def lookups(metrics: Metrics, outcome: str) -> float | None:
    return metrics.registry.get_sample_value("gateway_caller_lookup_seconds_count", {"outcome": outcome})


async def conversation(made: Rig, caller: str) -> str:
    """One turn; what the model was told before it."""
    requests = len(made.chat.requests)
    async with made.call(caller=caller) as live:
        await live.agent_answers(300)
        await ask(live)
    return str(made.asked(requests)[0]["content"])


async def test_a_returning_caller_is_known_to_the_model_and_to_no_record(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic, stack: Stack, logged: io.StringIO
) -> None:
    await known(pool, clinic)
    replies = [f"Good to hear you again, {NAME}. What can I do?", "Who is calling, please?"]
    async with calling(["Hello there.", "Hello again."], replies, CALLER_DEADLINE_S="5") as made:
        told = await conversation(made, CALLER)
        assert f"first name may be {NAME}" in told
        assert "may well ring about an appointment" in told
        assert NAME in "".join(text for context in made.contexts() for text in context.texts)
        assert "The caller:" not in await conversation(made, "+266696687"), "a withheld number"
        metrics = made.gateway.edge.metrics
        assert (lookups(metrics, "known"), lookups(metrics, "new")) == (1, None)
        columns = await every_column(stack.admin)
        kept = str(
            (made.feed, metrics.exposition(), logged.getvalue(), columns, await every_key(stack.redis))
        )
        [call] = [row["id"] for row in await made.call_rows() if row["carrier_call_id"] in str(made.feed[0])]
    assert found_in(kept, [NAME.casefold(), CALLER[1:]]) == []
    read = await Desk(pool, clinic, KEY).by_hand(
        "select actor_id from audit_log where action = 'contact_read'"
    )
    assert [row["actor_id"] for row in read] == [call]


async def test_it_can_be_switched_off(calling: Calling, pool: asyncpg.Pool, clinic: Clinic) -> None:
    await known(pool, clinic)
    async with calling(["Hello there."], ["What can I do?"], CALLER_LOOKUP="false") as made:
        assert "The caller:" not in await conversation(made, CALLER)
        assert lookups(made.gateway.edge.metrics, "known") is None
