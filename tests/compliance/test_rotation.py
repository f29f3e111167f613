"""The master key changes while calls go on: nothing is lost, nothing stays under the old one."""

import asyncio
from uuid import UUID, uuid4

from booking.contacts import find_contact
from booking.db import fetch
from booking.orgs import load_credentials, store_credentials
from booking.ports import Place
from compliance.keys import Keyring
from compliance.records import CallEnds
from compliance.vault import Cell, MasterKey, Vault
from gateway.keys import Rotation
from gateway.sealing import VaultSealer
from tests.booking.patients import new_phone
from tests.compliance.offices import Office

OLD, NEW = MasterKey.generate(), MasterKey.generate()
SECRET = Cell("org_credentials", "sealed", "deepgram")


def under(office: Office, *keys: MasterKey) -> Office:
    """The same clinic, as a process with these master keys sees it."""
    return Office.of(office.pool, office.clinic, *keys)


async def old_contact(office: Office, phone: str) -> UUID:
    """As a replica made one before people had keys."""
    contact_id, sealer = uuid4(), VaultSealer(office.keys.vault)
    digests = list(office.keys.digests(office.org_id, phone))
    sealed = [
        sealer.seal(office.org_id, plain, Place("contacts", f"sealed_{column}", str(contact_id)))
        for column, plain in (("phone", phone.encode()), ("name", b"Jane Old"))
    ]
    await fetch(office.pool, office.claim, "save_contact", contact_id, digests, *sealed, None)
    return contact_id


async def old_text(office: Office, phone: str) -> UUID:
    message_id, sealer = uuid4(), VaultSealer(office.keys.vault)
    sealed = [
        sealer.seal(office.org_id, plain, Place("sms_messages", f"sealed_{column}", str(message_id)))
        for column, plain in (("receiver", phone.encode()), ("body", b"Hello"))
    ]
    digest = office.keys.digests(office.org_id, phone)[0]
    await fetch(office.pool, office.claim, "record_sms", message_id, "otp", uuid4(), digest, *sealed)
    return message_id


async def test_everything_opens_under_the_new_key_alone_afterwards(office: Office) -> None:
    before, during, after = under(office, OLD), under(office, NEW, OLD), under(office, NEW)
    phone, old_phone, call_id = new_phone(), new_phone(), await office.call()
    contact_id, old_id = await before.contact(phone), await old_contact(before, old_phone)
    text_id, old_text_id = await before.text(phone), await old_text(before, new_phone())
    await before.say(call_id, ends=CallEnds(phone, office.clinic.number))
    sealed = before.keys.vault.for_org(office.org_id).seal(b"dg-secret", SECRET)
    await store_credentials(office.pool, office.claim, "deepgram", sealed)
    rotation = Rotation(office.pool, during.keys)
    assert (await rotation.left(office.claim)).total > 0

    rotated = await rotation.rotate(office.claim)

    assert [each.unreadable for each in rotated.values()] == [0] * 5
    assert (await rotation.left(office.claim)).total == 0
    for kind, row_id in (("contact", contact_id), ("text", text_id), ("call", call_id)):
        assert await after.read(kind, row_id) is not None  # type: ignore[arg-type]
    old = await after.read("contact", old_id)
    assert old is not None
    assert old.values == {"phone": old_phone, "name": "Jane Old"}
    message = await after.read("text", old_text_id)
    assert message is not None
    assert message.values["body"] == "Hello"
    (note,) = await office.rows("select id from clinical_notes")
    assert await after.read("note", note["id"]) is not None
    kept = (await load_credentials(office.pool, office.claim))["deepgram"]
    assert after.keys.vault.for_org(office.org_id).open(kept, SECRET) == b"dg-secret"
    for number, found in ((phone, contact_id), (old_phone, old_id)):
        assert await find_contact(office.pool, office.claim, after.desk.sealer, phone=number) == found
    (call,) = await office.rows("select caller_digest from calls where id = $1", call_id)
    assert call["caller_digest"] == after.keys.digests(office.org_id, phone)[0]


async def test_done_again_it_changes_nothing(office: Office) -> None:
    await under(office, OLD).contact()
    rotation = Rotation(office.pool, under(office, NEW, OLD).keys)
    first, second = await rotation.rotate(office.claim), await rotation.rotate(office.claim)
    assert sum(each.changed for each in first.values()) > 0
    assert [each.changed for each in second.values()] == [0] * 5


async def test_writes_in_the_middle_of_it_stay_and_are_moved_by_the_next_round(office: Office) -> None:
    """Replicas with the keys in either order write while it runs."""
    old_first, new_first, after = under(office, OLD, NEW), under(office, NEW, OLD), under(office, NEW)
    for _ in range(5):
        await under(office, OLD).contact()
    phones = [new_phone() for _ in range(10)]
    rotation = Rotation(office.pool, new_first.keys)

    async def write() -> None:
        for number, phone in enumerate(phones):
            replica = (old_first, new_first)[number % 2]
            await replica.contact(phone)
            await replica.say(await replica.call())
            await replica.contact(phone, "Jane Roe")

    await asyncio.gather(write(), rotation.rotate(office.claim))
    await rotation.rotate(office.claim)
    assert (await rotation.left(office.claim)).total == 0
    for phone in phones:
        found = await find_contact(office.pool, office.claim, after.desk.sealer, phone=phone)
        assert found is not None
        read = await after.read("contact", found)
        assert read is not None
        assert (read.values["phone"], read.values["name"]) == (phone, "Jane Roe")
    for row in await office.rows("select id from clinical_notes"):
        assert await after.read("note", row["id"]) is not None


async def test_a_code_proved_before_its_numbers_digest_changed_still_counts(office: Office) -> None:
    before, phone = under(office, OLD), new_phone()
    held = await before.desk.hold((await before.desk.free())[0])
    contact_id = await before.contact(phone)
    await before.desk.verify(held.hold_id, phone)
    await Rotation(office.pool, under(office, NEW, OLD).keys).rotate(office.claim)
    (verified,) = await office.rows(
        "select app.is_verified($1, $2, $3)", office.org_id, held.hold_id, contact_id
    )
    assert verified[0]


async def test_what_no_key_opens_is_counted_and_left(office: Office) -> None:
    await under(office, MasterKey.generate()).contact()
    rotated = await Rotation(office.pool, under(office, NEW, OLD).keys).rotate(office.claim)
    assert (rotated["keys"].unreadable, rotated["contacts"].unreadable) == (1, 1)


async def test_another_orgs_keys_stay_as_they_are(office: Office, other_office: Office) -> None:
    theirs = under(other_office, OLD)
    contact_id = await theirs.contact()
    await Rotation(office.pool, under(office, NEW, OLD).keys).rotate(office.claim)
    assert await theirs.read("contact", contact_id) is not None


class Remote:
    """Master keys kept elsewhere: all that comes here is wrapped and unwrapped keys of people."""

    def __init__(self) -> None:
        self._inner = Keyring.of(Vault([MasterKey.generate()])).provider
        self.asked: list[UUID] = []

    async def wrap(self, org_id: UUID, key_id: UUID, secret: bytes) -> bytes:
        await asyncio.sleep(0)
        return b"remote" + await self._inner.wrap(org_id, key_id, secret)

    async def unwrap(self, org_id: UUID, key_id: UUID, wrapped: bytes) -> bytes:
        await asyncio.sleep(0)
        self.asked.append(key_id)
        return await self._inner.unwrap(org_id, key_id, wrapped.removeprefix(b"remote"))

    def is_newest(self, org_id: UUID, wrapped: bytes) -> bool:
        return wrapped.startswith(b"remote")


async def test_master_keys_may_be_kept_elsewhere(office: Office) -> None:
    remote = Remote()
    elsewhere = Office(office.pool, office.clinic, Keyring(office.keys.vault, remote))
    call_id = await elsewhere.call()
    await elsewhere.say(call_id)
    (note,) = await elsewhere.rows("select id from clinical_notes")
    read = await elsewhere.read("note", note["id"])
    assert read is not None
    assert read.values == {"medical": "glaucoma"}
    assert remote.asked
    (key,) = await elsewhere.rows("select wrapped from contact_keys")
    assert key["wrapped"].startswith(b"remote")
