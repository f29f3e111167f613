"""A whole call: what its caller says of themselves ends in sealed rows, and is gone with their erasure."""

import asyncpg

from compliance.vault import MasterKey
from tests.calls.conftest import Calling
from tests.calls.rig import ask
from tests.compliance.offices import Office
from tests.compliance.test_erasure import blobs, erase_phone, opened
from tests.conftest import Clinic

MASTER = MasterKey(bytes(range(32)))
CALLER = "+447700900321"
LINES = ["My glaucoma is worse.", "Write to quillfeather@example.org."]


async def test_a_calls_values_are_sealed_by_kind_and_erased_by_number(
    calling: Calling, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    office = Office.of(pool, clinic, MASTER)
    async with calling(LINES, ["I see, your glaucoma.", "Noted, thank you."]) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            for _ in LINES:
                await ask(live)
        await made.events("TurnFinished", len(LINES))

    [call] = await made.call_rows()
    notes = await office.rows("select id, turn from clinical_notes order by turn")
    assert [note["turn"] for note in notes] == [1, 1]
    for note in notes:
        read = await office.read("note", note["id"])
        assert read is not None
        assert read.values == {"medical": "glaucoma"}
    (email,) = await office.rows("select id, turn, kind from pii_vault")
    read = await office.read("value", email["id"])
    assert read is not None
    assert read.values == {"email": "quillfeather@example.org"}
    ends = await office.read("call", call["id"])
    assert ends is not None
    assert ends.values == {"caller": CALLER, "called": clinic.number}

    copies = await blobs(office)
    erasure = await erase_phone(office, CALLER)
    assert erasure is not None
    assert (erasure.counts["notes"], erasure.counts["values"], erasure.counts["keys"]) == (2, 1, 1)
    assert await opened(office, copies) == []
