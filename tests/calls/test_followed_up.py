"""Whole calls that end without a booking: the text goes out on its own, and says nothing of what was said."""

import asyncpg
import pytest

from bench.simulators.replies import Call, Reply
from booking.db import org_transaction
from booking.follow_up_rules import FollowUpRules, store_rules
from booking.guides import put_guide
from booking.types import Actor
from tests.booking.following import ALL_DAY, a_pdf, mobile
from tests.booking.working import until
from tests.calls.conftest import Calling
from tests.calls.rig import ask
from tests.conftest import Clinic, Stack

YES = Reply(calls=(Call("note_texts", {"wanted": True}),))


async def prepared(pool: asyncpg.Pool, clinic: Clinic, rules: FollowUpRules = ALL_DAY) -> None:
    actor = Actor("operator")
    await store_rules(pool, clinic.claim, rules, clinic=clinic.spec.name, actor=actor)
    await put_guide(pool, clinic.claim, service_id=clinic.service_ids[0], content=a_pdf(), actor=actor)


@pytest.mark.timeout(120)
async def test_a_call_about_a_nose_job_is_followed_up_by_itself(
    calling: Calling, stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await prepared(pool, clinic)
    caller = mobile()
    lines = ["I wonder about a nose job", "yes please"]
    replies = ["May I text you a guide?", YES, "Thank you, I will."]
    workers = {"WORKERS": "1", "DATABASE_WORKER_URL": stack.postgres.worker}
    async with calling(lines, replies, **workers) as rig:
        async with rig.call(caller=caller) as live:
            await live.agent_quiet()
            await ask(live)
            await ask(live)
            await rig.events("ToolFinished")
            live.hang_up()

        async def counted() -> bool:
            return b'gateway_follow_ups_total{outcome="sent",reason=""}' in metrics.exposition()

        metrics = rig.gateway.edge.metrics
        await until(counted)
        told = metrics.exposition().decode()
    (message,) = rig.twilio.messages.to(caller)
    assert "nose" not in message.body.casefold()
    for measure in ("trigger", "handover"):  # calls that other tests left open may be followed up as well
        assert f"gateway_follow_up_{measure}_seconds_count 0.0" not in told
    async with org_transaction(pool, clinic.claim) as connection:
        row = await connection.fetchrow("select * from follow_ups")
    assert (row["state"], row["service_id"], row["texts_wanted"]) == ("sent", clinic.service_ids[0], True)
