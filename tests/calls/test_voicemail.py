"""A message that a caller leaves for the clinic: taken once, redacted and sealed, in its inbox."""

from uuid import UUID

import asyncpg

from bench.simulators.replies import Call, Reply
from booking.db import org_transaction
from booking.replies import answer_reply, page_of_replies
from booking.types import Actor
from compliance.erasure import erase_number
from compliance.keys import Keyring
from compliance.reading import Actor as Reader
from gateway.sealing import VaultSealer
from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask
from tests.conftest import Clinic

SAID = "This is Mary Smith, please ring me on 07700 900461 about my rhinoplasty."
NOTHING = Call("take_message", {"message": " "})
LEAVE = Call("take_message", {"message": SAID})
CALLER = "+447700900461"


async def row(made: Rig) -> asyncpg.Record:
    async with org_transaction(made.pool, made.clinic.claim) as connection:
        (found,) = await connection.fetch("select * from text_replies")
    return found


async def test_a_message_is_taken_once_sealed_and_goes_with_its_caller(
    calling: Calling, clinic: Clinic
) -> None:
    replies = [Reply("", (NOTHING, LEAVE, LEAVE)), "I have passed that on."]
    async with calling(["Tell them to ring me."], replies) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
        assert sorted(made.tools()) == [
            ("take_message", "bad_arguments"),
            *[("take_message", "message_taken")] * 2,
        ]
        assert "transfer_to_human" not in str(made.chat.requests[-1].tools)  # there is no number for it
        (message,) = await page_of_replies(made.pool, clinic.claim, limit=5, waiting=True)
        assert (message.kind, message.answered_at) == ("voicemail", None)
        assert message.said is not None
        assert not {"Mary", "Smith", "461", "rhinoplasty"} & set(message.said.replace(".", "").split())
        kept = await row(made)
        assert SAID.encode() not in kept["sealed_body"]
        edge = made.gateway.edge
        keys: Keyring = VaultSealer(edge.desk.vault).keys
        async with org_transaction(made.pool, clinic.claim) as connection:
            read = await connection.fetch(
                "select * from app.read_sealed($1, 'reply', $2, 'booking', 'operator', null)",
                clinic.claim.org_id,
                message.id,
            )
        assert [each["label"] for each in read] == ["voicemail"]
        reply_id: UUID = message.id
        assert await answer_reply(made.pool, clinic.claim, reply_id=reply_id, actor=Actor("operator"))
        async with org_transaction(made.pool, clinic.claim) as connection:
            await erase_number(connection, keys, clinic.claim.org_id, Reader("operator"), e164=CALLER)
            assert await connection.fetchval("select count(*) from text_replies") == 0
