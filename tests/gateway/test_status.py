"""Are the promises kept? Asked of real rows, each promise once as it is to be and once broken."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.audit import record
from booking.db import armed, open_pool
from booking.errors import BookingUnavailable
from booking.jobs import Backlog
from booking.types import OPERATOR
from compliance.chain import Fault, Head, Verified
from compliance.protection import Protection, TableProtection, protection_of
from gateway.latency import Figures, LatencyRules, OrgState
from gateway.latency_profiles import LatencyProfiles, OrgLatency
from gateway.metrics import Metrics
from gateway.status import (
    __main__ as command,
)
from gateway.status import (
    audit_log,
    codes,
    double_bookings,
    follow_ups,
    queue,
    screen,
    sweeps,
    tenancy,
    texts,
    thresholds,
    ttfb,
)
from gateway.status.access import Access
from gateway.status.asked import Question, Sources, Turns, ask
from gateway.status.board import Board
from gateway.status.judged import Level, Status, percentile, worst
from gateway.status.page import render as render_page
from gateway.status.watch import Watch, WatchPace
from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic, Stack
from tests.gateway.running import shared_store

ORG = UUID(int=1)
DAY_AGO = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def desk(pool: asyncpg.Pool, clinic: Clinic) -> Desk:
    return Desk(pool, clinic, make_sealer())


# --- what is asked ------------------------------------------------------------------------------------------


async def test_two_bookings_of_one_time_are_counted_by_their_rows(stack: Stack, desk: Desk) -> None:
    """The constraint that forbids them is taken away for the length of a transaction."""
    org_id = desk.clinic.claim.org_id
    await desk.hold((await desk.free())[0])
    admin = await asyncpg.connect(stack.admin)
    try:
        async with admin.transaction():
            before = await double_bookings.asked(admin, org_id, DAY_AGO)
            await admin.execute("alter table appointment_holds drop constraint no_overlap")
            await admin.execute(
                "insert into appointment_holds (org_id, slot_id, call_id, practitioner_number, starts_at,"
                " ends_at, state, expires_at) select org_id, slot_id, gen_random_uuid(), practitioner_number,"
                " starts_at, ends_at, 'booked', expires_at from appointment_holds where org_id = $1",
                org_id,
            )
            after = await double_bookings.asked(admin, org_id, DAY_AGO)
            raise _Undone
    except _Undone:
        pass
    finally:
        await admin.close()
    assert (before.live, before.overlapping) == (1, 0)
    assert (after.live, after.overlapping) == (2, 1)
    judged = double_bookings.judged({org_id: after, ORG: before})
    assert (judged.level, judged.orgs) == ("alarm", [org_id])
    assert double_bookings.judged({org_id: before}).level == "ok"


class _Undone(Exception):
    """Ends a transaction that is to leave nothing."""


async def test_everything_is_asked_org_by_org_and_only_of_the_last_hours(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Codes, texts, follow-ups and attempts of one org do not count for another."""
    since = datetime.now(UTC) - timedelta(hours=1)
    org_id = clinic.claim.org_id
    await record(pool, clinic.claim, actor=OPERATOR, action="foreign_refused", subject_kind="slot")
    admin = await asyncpg.connect(stack.admin)
    try:
        async with armed(admin, clinic.claim):
            await _texts(admin, org_id)
            await _follow_ups(admin, org_id)
            found_texts = await texts.asked(admin, org_id, since)
            found_follow_ups = await follow_ups.asked(admin, org_id, since)
            attempts = await tenancy.asked(admin, org_id, since)
        others = await texts.asked(admin, other_clinic.claim.org_id, since)
    finally:
        await admin.close()
    assert (found_texts.settled, found_texts.delivered) == (4, 3)
    assert sorted(found_texts.delivered_s) == [1.0, 1.0, 3.0]
    assert sorted(found_texts.codes_s) == [1.0, 3.0]
    assert others == texts.Texts(0, 0, [], [])
    assert found_follow_ups == follow_ups.FollowUps(
        due=1, waiting=1, sent=2, failed=0, prompt=2, late=1, overdue=1
    )
    assert attempts == tenancy.Attempts(1, 1)


async def _texts(admin: asyncpg.Connection, org_id: UUID) -> None:
    """Codes: arrived after 1 s and 3 s, not arrived, under way, of yesterday. A reply that arrived."""
    for status, age_s, took_s, kind in (
        ("delivered", 60, 1, "otp"), ("delivered", 60, 3, "otp"), ("failed", 60, 1, "otp"),
        ("sent", 60, None, "otp"), ("delivered", 90_000, 1, "otp"), ("delivered", 60, 1, "reply"),
    ):  # fmt: skip
        await admin.execute(
            "insert into sms_messages (org_id, id, kind, subject_id, receiver_digest, sealed_receiver,"
            " sealed_body, status, recorded_at, settled_at) values ($1, $2, $7, $2, $3, 'x', 'x', $4,"
            " now() - $5::interval, now() - $5::interval + $6::interval)",
            org_id, uuid4(), bytes(32), status, timedelta(seconds=age_s),
            None if took_s is None else timedelta(seconds=took_s), kind,
        )  # fmt: skip


async def _follow_ups(admin: asyncpg.Connection, org_id: UUID) -> None:
    """Handed over at once; after a minute; waiting for the morning; taken on by nobody."""
    for state, deferred, handed_s, next_s in (
        ("delivered", False, 1, None), ("sent", False, 60, None), ("waiting", True, None, 3600),
        ("due", True, None, -120),
    ):  # fmt: skip
        call_id = uuid4()
        await admin.execute(
            "insert into calls (id, org_id, carrier, carrier_call_id, started_at)"
            " values ($1, $2, 'twilio', $3, now())",
            call_id, org_id, f"CA{call_id.hex}",
        )  # fmt: skip
        await admin.execute(
            "update follow_ups set state = $2, deferred = $3, settled_at = now() - interval '2 minutes',"
            " handed_at = now() - interval '2 minutes' + $4::interval, next_at = now() + $5::interval"
            " where call_id = $1",
            call_id, state, deferred, None if handed_s is None else timedelta(seconds=handed_s),
            None if next_s is None else timedelta(seconds=next_s),
        )  # fmt: skip


async def test_codes_in_force_are_not_judged_yet(stack: Stack, desk: Desk) -> None:
    org_id = desk.clinic.claim.org_id
    hold = (await desk.hold((await desk.free())[0])).hold_id
    admin = await asyncpg.connect(stack.admin)
    try:
        for state, live_s in (("used", 60), ("replaced", 60), ("cleared", 60), ("live", 60)):
            await admin.execute(
                "insert into otp_codes (org_id, hold_id, receiver_digest, digest, state, expires_at)"
                " values ($1, $2, $3::bytea, case when $4 = 'live' then $3::bytea end, $4,"
                " now() + $5::interval)",
                org_id, hold, bytes(32), state, timedelta(seconds=live_s),
            )  # fmt: skip
        found = await codes.asked(admin, org_id, DAY_AGO)
    finally:
        await admin.close()
    assert found == codes.Codes(sent=2, verified=1)


# --- what is made of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "verified", "level"),
    [(19, 0, "ok"), (20, 19, "ok"), (100, 95, "ok"), (100, 94, "alarm"), (0, 0, "ok")],
)
def test_codes_are_an_alarm_below_95_per_cent(sent: int, verified: int, level: Level) -> None:
    assert codes.judged({ORG: codes.Codes(sent, verified)}).level == level


@pytest.mark.parametrize(
    ("settled", "delivered", "level"),
    [(19, 0, "ok"), (200, 199, "ok"), (1000, 995, "ok"), (1000, 994, "alarm")],
)
def test_texts_are_an_alarm_below_99_and_a_half_per_cent(settled: int, delivered: int, level: Level) -> None:
    assert texts.judged({ORG: texts.Texts(settled, delivered, [1.0])}).level == level


@pytest.mark.parametrize(
    ("codes_s", "level"),
    [([21.0] * 19, "ok"), ([1.0] * 19 + [21.0], "ok"), ([1.0] * 18 + [21.0] * 2, "alarm"), ([], "ok")],
)
def test_codes_that_arrive_late_are_an_alarm_other_texts_are_not(codes_s: list[float], level: Level) -> None:
    others_s = [3600.0] * 100
    found = texts.Texts(200, 200, others_s + codes_s, codes_s)
    assert texts.judged({ORG: found}).level == level


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (follow_ups.FollowUps(prompt=100, late=5), "ok"),
        (follow_ups.FollowUps(prompt=100, late=6), "alarm"),
        (follow_ups.FollowUps(prompt=10, late=10), "ok"),
        (follow_ups.FollowUps(overdue=1), "alarm"),
        (follow_ups.FollowUps(due=50, waiting=50, failed=3), "ok"),
    ],
)
def test_follow_ups_are_an_alarm_when_many_are_late_or_one_lies_about(
    found: follow_ups.FollowUps, level: Level
) -> None:
    assert follow_ups.judged({ORG: found}).level == level


@pytest.mark.parametrize(
    ("queued", "oldest_s", "failed", "level"),
    [(0, None, 0, "ok"), (500, 60.0, 0, "ok"), (1, 61.0, 0, "alarm"), (0, None, 1, "alarm")],
)
def test_the_queue_is_an_alarm_when_a_job_waits_long_or_was_given_up(
    queued: int, oldest_s: float | None, failed: int, level: Level
) -> None:
    assert queue.judged([Backlog("retention", queued, 0, 0, failed, oldest_s)]).level == level


def test_a_sweep_that_is_late_or_was_never_scheduled_is_an_alarm() -> None:
    now = datetime.now(UTC)
    ran = {name: now - allowed for name, allowed in thresholds.SWEEPS.items()}
    assert sweeps.judged(ran, now).level == "ok"
    assert sweeps.judged(ran, now + timedelta(seconds=1)).figures["overdue"] == len(thresholds.SWEEPS)
    ages = {name: allowed.total_seconds() for name, allowed in thresholds.SWEEPS.items()}
    assert sweeps.ages(sweeps.judged(ran, now)) == ages
    del ran["expired_holds"]
    late = sweeps.judged(ran, now)
    assert (late.level, late.told) == (
        "alarm",
        f"{len(ran)} of {len(ran) + 1} on time; late or never: expired_holds",
    )


@pytest.mark.parametrize(("last_hour", "level"), [(20, "ok"), (21, "alarm")])
def test_so_many_attempts_in_an_hour_are_an_alarm(last_hour: int, level: Level) -> None:
    protection = Protection(protected=True, role="gw_app", role_bound=True, tables=[])
    judged = tenancy.judged({ORG: tenancy.Attempts(100, last_hour)}, protection)
    assert (judged.level, judged.orgs) == (level, [ORG] if level == "alarm" else [])


async def test_row_level_security_that_does_not_stand_is_an_alarm(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    async with pool.acquire() as connection:
        whole = await protection_of(connection)
    assert tenancy.judged({}, whole).level == "ok"
    bare = TableProtection(
        name="public.slots", enabled=False, forced=True, of_an_org=True, own_rows=True, nobody_else=True,
        protected=False,
    )  # fmt: skip
    broken = Protection(protected=False, role="gw_app", role_bound=True, tables=[*whole.tables, bare])
    judged = tenancy.judged({}, broken)
    assert judged.level == "alarm"
    assert "MISSING on public.slots" in judged.told
    assert judged.figures["tables_unprotected"] == 1


def test_a_broken_chain_and_records_that_nobody_links_are_alarms() -> None:
    whole = Verified(3, Head(3, bytes(32)), 0, None, None)
    broken = replace(whole, fault=Fault("altered", 2, ORG))
    old = replace(whole, unlinked=1, oldest_unlinked_at=datetime.now(UTC) - timedelta(minutes=5))
    fresh = replace(whole, unlinked=1, oldest_unlinked_at=datetime.now(UTC))
    assert audit_log.judged({ORG: fresh}).level == "ok"
    assert audit_log.judged({ORG: broken}).figures["broken"] == 1
    for found in (broken, old):
        assert (audit_log.judged({ORG: found}).level, audit_log.judged({ORG: found}).orgs) == ("alarm", [ORG])


@pytest.mark.parametrize(
    ("status", "known", "level"),
    [
        ("acceptable", True, "ok"),
        ("warning", True, "ok"),
        ("critical", True, "alarm"),
        ("unknown", False, "unknown"),
    ],
)
def test_an_org_that_answers_critically_late_is_an_alarm(status: str, known: bool, level: Level) -> None:
    line = ttfb.shown(OrgLatency(ORG, Figures(30, 400.0, 900.0, status), OrgState("turbo", 1.0)))  # type: ignore[arg-type]
    assert line.since == datetime.fromtimestamp(1.0, UTC)
    assert ttfb.judged([line], known=known).level == level


def test_of_all_levels_the_worst_counts() -> None:
    assert [worst(levels) for levels in ([], ["ok"], ["ok", "unknown"], ["unknown", "alarm", "ok"])] == [
        "ok", "ok", "unknown", "alarm",
    ]  # fmt: skip
    assert set(get_args(Level)) == set(command._CODES)


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.01, 0.5, 0.95)] == [1.0, 2.0, 3.0]
    assert percentile([], 0.5) is None


# --- all of it ----------------------------------------------------------------------------------------------


async def test_all_orgs_are_asked_and_the_watch_puts_it_into_gauges(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    metrics = Metrics()
    async with await open_pool(stack.postgres.worker, max_size=1) as worker_pool:
        sources = Sources(pool, worker_pool)

        async def at_hand() -> Sources:
            return sources

        status = await Watch(at_hand, metrics).look(chain_s=5.0)
        none = await ask(Sources(pool, worker_pool), Question(within_s=-1.0))

    def gauge(name: str) -> float:
        return metrics.registry.get_sample_value(f"gateway_{name}") or 0.0

    assert status.orgs == status.orgs_asked >= 1
    assert (none.orgs, none.orgs_asked) == (status.orgs, 0)
    assert status.of("double_bookings").figures["overlapping"] == gauge("double_bookings") == 0
    assert gauge("sweeps_overdue") == status.of("sweeps").figures["overdue"]
    assert gauge("tables_unprotected") == 0
    assert gauge("follow_ups_due") == status.of("follow_ups").figures["due"]
    assert gauge("follow_ups_late") == status.of("follow_ups").figures["late"]
    assert gauge("audit_chains_broken") == status.of("audit_log").figures["broken"]
    assert abs(gauge("status_asked_timestamp_seconds") - datetime.now(UTC).timestamp()) < 60


async def test_the_board_keeps_what_was_asked_a_moment_ago(stack: Stack, pool: asyncpg.Pool) -> None:
    turns = Turns(shared := shared_store(stack), LatencyProfiles(shared, pool, Metrics(), LatencyRules()))
    async with shared, Access(pool, turns, stack.postgres.worker) as access:
        kept, asking = Board(access), Board(access, kept_s=0.0)
        assert await kept.status() is await kept.status()
        assert await asking.status() is not await asking.status()
        assert await Board(Access(pool, turns, "")).status() is None


async def test_a_watch_waits_for_a_database_that_is_away(stack: Stack, pool: asyncpg.Pool) -> None:
    metrics, asked = Metrics(), 0
    async with await open_pool(stack.postgres.worker, max_size=1) as worker_pool:

        async def away_at_first() -> Sources:
            nonlocal asked
            asked += 1
            if asked < 3:
                raise BookingUnavailable
            return Sources(pool, worker_pool)

        watching = asyncio.create_task(Watch(away_at_first, metrics, WatchPace(look_s=0.01)).run())
        async with asyncio.timeout(30):
            while True:
                if metrics.registry.get_sample_value("gateway_status_asked_timestamp_seconds"):
                    break
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait({watching})
    assert asked >= 3


def addressed(stack: Stack, **changes: str) -> list[str]:
    urls = {
        "database-url": stack.postgres.app, "worker-url": stack.postgres.worker, "redis-url": stack.redis
    } | {name.replace("_", "-"): url for name, url in changes.items()}  # fmt: skip
    return [part for name, url in urls.items() for part in (f"--{name}", url)]


def test_the_command_tells_all_promises_as_text_and_as_json(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command.main([*addressed(stack), "--json"])
    told = json.loads(capsys.readouterr().out)
    names = [each["name"] for each in told["promises"]]
    assert set(names) == set(screen.TITLES)
    assert code == {"ok": 0, "alarm": 1, "unknown": 2}[told["level"]]
    assert command.main(addressed(stack)) == code
    shown = capsys.readouterr().out
    assert all(title in shown for title in screen.TITLES.values())
    assert len(shown.splitlines()) < 60


def test_without_redis_answers_are_not_known_and_the_rest_is(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main([*addressed(stack, redis_url="redis://127.0.0.1:9"), "--json"])
    told = {each["name"]: each["level"] for each in json.loads(capsys.readouterr().out)["promises"]}
    assert told["ttfb"] == "unknown"
    assert told["double_bookings"] == "ok"


@pytest.mark.parametrize("broken", ["database_url", "worker_url"])
def test_a_database_that_does_not_answer_cannot_be_asked(
    stack: Stack, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(addressed(stack, **{broken: "postgresql://gw:secret@127.0.0.1:9/x"})) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("status: cannot be asked")
    assert "secret" not in shown.err


def test_an_address_that_is_missing_is_asked_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        command.main(addressed(stack)[:4])
    assert ended.value.code == 2
    assert "--redis-url" in capsys.readouterr().err


def test_an_address_that_is_none_is_not_repeated(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(addressed(stack, redis_url="http://user:secret@redis"))
    assert "secret" not in capsys.readouterr().err


def test_the_page_shows_what_the_screen_shows_and_runs_nothing() -> None:
    line = ttfb.shown(OrgLatency(ORG, Figures(30, 400.0, 900.0, "critical"), OrgState()))
    status = Status(
        made_at=datetime.now(UTC), since=DAY_AGO, level="alarm", orgs=2, orgs_asked=1,
        promises=[ttfb.judged([line], known=True), codes.judged({})], latency=[line],
    )  # fmt: skip
    page, shown = render_page(status), screen.render(status)
    for told in (str(ORG), "1 of 2 orgs", status.promises[0].told, "Codes by text"):
        assert told in page
        assert told in shown
    assert "<script" not in page
    assert "ALARM" in shown.splitlines()[0]


def test_the_status_of_no_org_at_all_can_be_told() -> None:
    assert double_bookings.judged({}).told == "none among 0 live holds and appointments"
