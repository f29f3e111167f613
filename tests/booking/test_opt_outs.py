"""Who wants no more texts gets none: by their own word, or by the carrier's refusal."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from booking import audit
from booking.contacts import Person, save_contact
from booking.db import org_transaction
from booking.errors import NumberInvalid, SmsRefused
from booking.messages import Text
from booking.sms import choice_of
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.texting import RECEIVER, Post, post_office
from tests.conftest import Clinic


@pytest.fixture
async def post(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Post]:
    async with post_office(pool, clinic) as opened:
        yield opened


def a_text(to: str = RECEIVER) -> Text:
    return Text("otp", subject_id=uuid4(), to=to, body="123456 is your code")


async def refusal(post: Post, to: str = RECEIVER) -> tuple[str, int]:
    with pytest.raises(SmsRefused) as refused:
        await post.send(a_text(to))
    assert to[1:] not in str(refused.value)
    return refused.value.reason, refused.value.code


async def audited(post: Post) -> list[tuple[str, str]]:
    records = await audit.page_of_records(post.messages.pool, post.claim, limit=10)
    return [(each.action, each.actor.kind) for each in reversed(records)]


async def refused_at(post: Post) -> list[bool]:
    """Of each contact, whether it refuses texts."""
    async with org_transaction(post.messages.pool, post.claim) as connection:
        rows = await connection.fetch("select texts_refused_at from contacts order by created_at")
    return [row[0] is not None for row in rows]


async def test_nothing_is_tried_until_the_number_opts_in_again(post: Post) -> None:
    assert await post.messages.opt_out(post.claim, RECEIVER)
    assert await refusal(post) == ("opted_out", 21610)
    assert post.twilio.requests == []
    assert await post.send(a_text("+447700900124"))
    assert await post.messages.opt_in(post.claim, RECEIVER)
    assert await post.send(a_text())
    assert await audited(post) == [("texts_refused", "carrier"), ("texts_accepted", "carrier")]


async def test_a_word_that_comes_twice_changes_nothing_more(post: Post) -> None:
    assert not await post.messages.opt_in(post.claim, RECEIVER)
    assert await post.messages.opt_out(post.claim, RECEIVER)
    assert not await post.messages.opt_out(post.claim, RECEIVER)
    assert await audited(post) == [("texts_refused", "carrier")]


async def test_the_carriers_refusal_is_remembered(post: Post) -> None:
    post.twilio.messages.opted_out.add(RECEIVER)
    assert await refusal(post) == ("opted_out", 21610)
    assert await refusal(post) == ("opted_out", 21610)
    assert len(post.twilio.requests) == 1
    assert await audited(post) == [("texts_refused", "carrier")]


async def test_a_refusal_that_is_reported_later_is_remembered(post: Post) -> None:
    """As a messaging service tells it."""
    text = a_text()
    assert await post.send(text)
    await post.messages.advance(post.claim, text.id, "failed", error_code=21610)
    assert await refusal(post) == ("opted_out", 21610)


async def test_a_landline_by_the_report_is_not_texted_again(post: Post) -> None:
    text = a_text()
    assert await post.send(text)
    await post.messages.advance(post.claim, text.id, "undelivered", error_code=30006)
    assert await refusal(post) == ("receiver", 30006)
    assert await audited(post) == []
    assert len(post.twilio.messages.all) == 1


async def test_other_errors_of_a_report_stop_nothing(post: Post) -> None:
    text = a_text()
    assert await post.send(text)
    await post.messages.advance(post.claim, text.id, "undelivered", error_code=30003)
    assert await post.send(a_text())


async def test_the_contact_says_so_too(post: Post) -> None:
    pool, claim, sealer = post.messages.pool, post.claim, post.messages.sealer
    await save_contact(pool, claim, sealer, Person(RECEIVER))
    await save_contact(pool, claim, sealer, Person("+447700900124"))
    await post.messages.opt_out(claim, RECEIVER)
    assert await refused_at(post) == [True, False]
    await post.messages.opt_in(claim, RECEIVER)
    assert await refused_at(post) == [False, False]


async def test_a_contact_made_of_a_number_that_opted_out_before(post: Post) -> None:
    await post.messages.opt_out(post.claim, RECEIVER)
    await save_contact(post.messages.pool, post.claim, post.messages.sealer, Person(RECEIVER))
    assert await refused_at(post) == [True]


async def test_another_clinic_may_go_on(post: Post, pool: asyncpg.Pool, other_clinic: Clinic) -> None:
    await post.messages.opt_out(post.claim, RECEIVER)
    async with post_office(pool, other_clinic) as other:
        assert await other.send(a_text())


async def test_it_holds_under_a_newer_key(pool: asyncpg.Pool, clinic: Clinic) -> None:
    old, new = MasterKey(bytes(range(32))), MasterKey.generate()
    async with post_office(pool, clinic) as post:
        await post.messages.opt_out(post.claim, RECEIVER)
        rotated = VaultSealer(Vault([new, old]))
        async with post_office(pool, clinic, sealer=rotated) as later:
            assert await refusal(later) == ("opted_out", 21610)
            assert await later.messages.opt_in(later.claim, RECEIVER)
            assert await later.send(a_text())


async def test_what_is_no_number_chooses_nothing(post: Post) -> None:
    with pytest.raises(NumberInvalid):
        await post.messages.opt_out(post.claim, "HARLEY")


@pytest.mark.parametrize(
    ("kind", "body", "choice"),
    [
        ("", "STOP", "stop"),
        ("", " sToP \n", "stop"),
        ("", "Unsubscribe", "stop"),
        ("", "stop.", "stop"),
        ("", "Stop please", "stop"),
        ("", "STOP TEXTING ME", "stop"),
        ("", "Please, stop!", "stop"),
        ("", "Unsubscribe me from this list, thanks", "stop"),
        ("", "Opt-out", "stop"),
        ("", "STOP ALL MESSAGES NOW!!", "stop"),
        ("", "cancel", "stop"),
        ("", "cancel please", None),
        ("", "The end.", None),
        ("", "quit smoking?", None),
        ("", "stop by tomorrow?", None),
        ("", "Stop the tablets now?", None),
        ("", "Can I stop the tablets?", None),
        ("", "please", None),
        ("", "please start", None),
        ("", "Yes, at what time?", None),
        ("", "Can I move my appointment?", None),
        ("", "START", "start"),
        ("", "unstop", "start"),
        ("STOP", "genug", "stop"),
        ("START", "doch", "start"),
        ("HELP", "stop", None),
        ("", "", None),
        ("", "S\u0422OP", None),  # a Cyrillic letter
    ],
)
def test_what_somebody_wants_of_our_texts(kind: str, body: str, choice: str | None) -> None:
    assert choice_of(kind, body) == choice
