"""What may be taken from the schema, piece by piece, to see whether anybody notices.

A mutant edits the functions as the database itself shows them, so it meets whatever the migrations have made
of them; a piece that is not found is an error, never a mutant that survives. `equivalent` says why nothing
can tell: such a mutant must survive.

Policies, the functions' own check of the org and rights are taken away for every table and function by the
proofs themselves (`test_tables`, `test_functions`), because that is done in a moment and undone.
"""

import re
from dataclasses import dataclass

import psycopg
from psycopg import sql


class PieceGone(Exception):
    """The schema does not say any more what a mutant would take from it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In all functions of this name in schema `app`: each match of `pattern` becomes `into`."""

    function: str
    pattern: str
    into: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`steps`: edits and statements. `proofs`: the tests that are to notice, in the order they are tried."""

    name: str
    steps: tuple[Edit | str, ...]
    proofs: tuple[str, ...]
    equivalent: str = ""


def edited(definition: str, edit: Edit) -> str:
    """Raises `PieceGone`."""
    changed, times = re.subn(edit.pattern, edit.into, definition, flags=re.DOTALL)
    if times == 0:
        raise PieceGone(f"{edit.function}: nothing matches {edit.pattern}")
    return changed


def apply(admin: psycopg.Connection, mutant: Mutant) -> None:
    """Raises `PieceGone`."""
    for step in mutant.steps:
        if isinstance(step, str):
            admin.execute(step)
        else:
            _apply_edit(admin, step)


def _apply_edit(admin: psycopg.Connection, edit: Edit) -> None:
    found = admin.execute(
        "select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'app'::regnamespace"
        " and p.proname = %s",
        (edit.function,),
    ).fetchall()
    if not found:
        raise PieceGone(f"there is no function {edit.function}")
    for (definition,) in found:
        admin.execute(sql.SQL(edited(definition, edit)))  # type: ignore[arg-type]


LOCKS, LIVES = "tests/proofs/test_locks.py", "tests/proofs/test_life_cycle.py"
CLAIMS, CLAIMED = "tests/proofs/test_claims.py", "tests/proofs/test_claimed.py"
TABLES, FUNCTIONS = "tests/proofs/test_tables.py", "tests/proofs/test_functions.py"
BY_HAND, PLANS = "tests/proofs/test_by_hand.py", "tests/proofs/test_plans.py"
POOLED = "tests/proofs/test_pooled.py"
HOLDS, OTP, BOOKINGS = (
    "tests/booking/test_holds.py",
    "tests/booking/test_otp.py",
    "tests/booking/test_bookings.py",
)

_LOCK_PRACTITIONERS = r"perform app\.lock_practitioners?\([^;]*\);"
_LOCK_CALL = r"perform app\.lock_call\(p_call\);"
_NO_LOCK = Edit("claim_slot_atomic", _LOCK_PRACTITIONERS)
_NO_ROW_LOCK = Edit("claim_slot_atomic", r"for (no key )?update of s\b")
_NO_CONSTRAINT = "alter table public.appointment_holds drop constraint no_overlap"
_ANY_STATE = r" and h\.state = 'held'"

CLAIM = (
    Mutant("claim: no practitioner's lock", (_NO_LOCK,), (LOCKS,)),
    Mutant("claim: no FOR UPDATE", (_NO_ROW_LOCK,), (LOCKS,)),
    Mutant("no constraint on overlaps", (_NO_CONSTRAINT,), (BY_HAND,)),
    Mutant("claim: neither lock nor FOR UPDATE", (_NO_LOCK, _NO_ROW_LOCK), (LOCKS,)),
    Mutant("claim: neither lock nor constraint", (_NO_LOCK, _NO_CONSTRAINT), (LIVES,)),
    Mutant("claim: neither FOR UPDATE nor constraint", (_NO_ROW_LOCK, _NO_CONSTRAINT), (BY_HAND,)),
    Mutant(
        "claim: neither lock, FOR UPDATE nor constraint",
        (_NO_LOCK, _NO_ROW_LOCK, _NO_CONSTRAINT),
        (CLAIMS,),
    ),
    Mutant("claim: no call's lock", (Edit("claim_slot_atomic", _LOCK_CALL),), (LOCKS,)),
    Mutant(
        "claim: ended calls too", (Edit("claim_slot_atomic", r"c\.ended_at is not null", "false"),), (LOCKS,)
    ),
    Mutant(
        "claim: withdrawn slots too",
        (Edit("claim_slot_atomic", r"s\.withdrawn_at is null", "true"),),
        (LOCKS,),
    ),
    Mutant(
        "claim: times of before the wait",
        (Edit("claim_slot_atomic", r"v_now := clock_timestamp\(\)", "v_now := now() - interval '1 hour'"),),
        (LIVES,),
    ),
    Mutant(
        "claim: who is in the way is not told apart",
        (Edit("occupied", r"h\.expires_at > p_at", "true"),),
        (LIVES,),
    ),
    Mutant(
        "alternatives: taken ones too",
        (Edit("free_slots", r"and not exists \(select from app\.occupied\(.*?\)\)"),),
        (CLAIMS,),
    ),
    Mutant(
        "slots: of the wrong clock's time of day",
        (Edit("free_slots", r"at time zone v_zone", "at time zone 'America/New_York'"),),
        ("tests/booking/test_slots.py",),
    ),
    Mutant(
        "alternatives: any practitioner's",
        (Edit("free_slots", r"\ba\.active\b", "true"),),
        ("tests/booking/test_slots.py",),
    ),
)

GIVING_BACK = (
    Mutant("release: also what is booked", (Edit("release_slot_lock", _ANY_STATE),), (HOLDS,)),
    Mutant(
        "release: also what has run out",
        (Edit("release_slot_lock", r" and h\.expires_at > clock_timestamp\(\)"),),
        (HOLDS,),
    ),
    Mutant("release of a call: also what is booked", (Edit("release_call_holds", _ANY_STATE),), (LIVES,)),
    Mutant("release of a call: not after its claim", (Edit("release_call_holds", _LOCK_CALL),), (LOCKS,)),
    Mutant(
        "end of a call: not after its claim",
        (Edit("close_call", _LOCK_CALL),),
        (LOCKS,),
        "without a hold to keep it takes the same lock a moment later, in release_call_holds; with one, a"
        " claim that goes on past the end is what was to be kept",
    ),
    Mutant(
        "sweeper: also what has not run out",
        (Edit("release_expired_slot_holds", r"and o\.expires_at <= statement_timestamp\(\)"),),
        (LIVES,),
        "the policies of gw_worker show it no other rows",
    ),
    Mutant(
        "sweeper: also what has not run out, and policies that let it",
        (
            Edit("release_expired_slot_holds", r"and o\.expires_at <= statement_timestamp\(\)"),
            "alter policy sweeper_sees on public.appointment_holds using (true)",
            "alter policy sweeper_flips on public.appointment_holds using (true)",
        ),
        (LIVES,),
    ),
    Mutant(
        "sweeper: waits for whoever is at a hold",
        (Edit("release_expired_slot_holds", r"SKIP LOCKED|skip locked"),),
        (BOOKINGS,),
    ),
    Mutant(
        "sweeper: may make anything of a hold",
        ("alter policy sweeper_flips on public.appointment_holds with check (true)",),
        (BY_HAND,),
        "what it makes it must also be able to see, and the policy for that knows held and expired ones",
    ),
    Mutant(
        "sweeper: may make anything of a hold and see it",
        (
            "alter policy sweeper_flips on public.appointment_holds with check (true)",
            "alter policy sweeper_sees on public.appointment_holds using (true)",
        ),
        (BY_HAND,),
    ),
)

CODES = (
    Mutant(
        "verify: any code", (Edit("verify_otp", r"v_code\.digest = any \(p_digests\)", "true"),), (OTP, LIVES)
    ),
    Mutant(
        "verify: a code for ever",
        (Edit("verify_otp", r"v_code\.expires_at <= clock_timestamp\(\)", "false"),),
        (OTP,),
    ),
    Mutant(
        "verify: guesses are not counted",
        (Edit("verify_otp", r"failures = c\.failures \+ 1", "failures = c.failures"),),
        (OTP, LIVES),
    ),
    Mutant(
        "verify: no end of guesses",
        (
            Edit("verify_otp", r"if v_left = 0 then", "if false then"),
            Edit("verify_otp", r"case when v_left = 0 then", "case when false then"),
        ),
        (OTP, LIVES),
    ),
    Mutant(
        "verify: a code is used again",
        (Edit("verify_otp", r"set state = 'used', digest = null", "set failures = c.failures"),),
        (OTP, LIVES),
    ),
    Mutant("codes: the hold is not locked", (Edit("lock_held", r"for update"),), (LOCKS,)),
    Mutant(
        "codes: the number is not locked",
        (Edit("lock_held", r"perform pg_advisory_xact_lock\(.*?\), 0\)\);"),),
        (LOCKS,),
    ),
    Mutant(
        "codes: also for a hold that has run out",
        (
            Edit("lock_held", r" and h\.expires_at > clock_timestamp\(\)"),
            Edit("lock_held", r" or v_expires_at <= clock_timestamp\(\)"),
        ),
        (OTP, LIVES),
    ),
    Mutant(
        "codes: a new one starts the count anew",
        (
            Edit(
                "otp_counts",
                r"coalesce\(sum\(failures\), 0\)",
                "coalesce(sum(failures) filter (where state = 'live'), 0)",
            ),
        ),
        (OTP, LIVES),
    ),
    Mutant(
        "codes: as many as one likes",
        (Edit("otp_counts", r"count\(\*\) filter \(where state <> 'cleared'\)", "0"),),
        (OTP,),
    ),
    Mutant(
        "codes: one that may have gone out is not counted",
        (Edit("otp_counts", r"state <> 'cleared'", "state not in ('cleared', 'unconfirmed')"),),
        (OTP,),
    ),
    Mutant(
        "codes: a new one leaves the hold verified",
        (Edit("store_otp", r"c\.state in \('live', 'used'\)", "c.state = 'live'"),),
        (OTP, LIVES),
    ),
    Mutant(
        "codes: of a number are not counted",
        (Edit("otp_counts", r"receiver_digest = p_receiver", "false"),),
        (OTP, LOCKS),
    ),
    Mutant(
        "codes: live longer than ten minutes",
        (Edit("store_otp", r"p_ttl > interval '10 minutes'", "false"),),
        (OTP,),
    ),
    Mutant(
        "clear: another code than the one not sent",
        (Edit("clear_otp", r" and c\.digest = p_digest"),),
        (OTP,),
    ),
    Mutant("two live codes for a hold", ("drop index public.one_live_code",), (BY_HAND,)),
    Mutant(
        "verify: digests compared from the first byte on",
        (),
        (),
        "what is compared are HMACs under a key that whoever guesses does not have, so the time that a"
        " comparison takes tells nothing of a code; no test of this could fail",
    ),
)


def _without_reference(table: str, column: str) -> str:
    """Drops the table's one foreign key in which this column stands."""
    return f"""
    do $$
    declare
        v_name text;
    begin
        select conname into strict v_name from pg_constraint
        where conrelid = 'public.{table}'::regclass and contype = 'f'
          and pg_get_constraintdef(oid) like '%{column}%';
        execute format('alter table public.{table} drop constraint %I', v_name);
    end $$
    """


APPOINTMENTS = (
    Mutant(
        "confirm: no code was verified",
        (Edit("confirm_booking", r"if not app\.is_verified\(.*?\) then", "if false then"),),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "confirm: verified for another number",
        (
            Edit(
                "is_verified",
                r"join public\.contacts c on c\.org_id = o\.org_id and c\.phone_digest = o\.receiver_digest",
                "join public.contacts c on c.org_id = o.org_id",
            ),
        ),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "confirm: what has run out",
        (Edit("confirm_booking", r"least\(v_hold\.expires_at, v_hold\.starts_at\)", "v_hold.starts_at"),),
        (BOOKINGS, LIVES),
    ),
    Mutant("confirm: no practitioner's lock", (Edit("confirm_booking", _LOCK_PRACTITIONERS),), (LOCKS,)),
    Mutant(
        "confirm: the hold is not locked",
        (Edit("confirm_booking", r"for update"),),
        (LOCKS, LIVES),
        "the practitioner's lock is held already, and the hold becomes booked by compare-and-set: whoever"
        " gives it back meanwhile makes the appointment fail its reference to a booked hold",
    ),
    Mutant(
        "confirm: one hold twice",
        (
            Edit(
                "confirm_booking",
                r"if found and \(p_contact is null or p_contact = v_contact\) then",
                "if false then",
            ),
        ),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "cancel: what is over",
        (
            Edit(
                "cancel_booking",
                r"v_booking\.starts_at <= clock_timestamp\(\) or not (app\.end_booking\(.*?'cancelled'\))",
                r"not \1 and false",
            ),
        ),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "cancel: somebody else's",
        (Edit("cancel_booking", r"\(p_contact is null or a\.contact_id = p_contact\)", "true"),),
        (BOOKINGS,),
    ),
    Mutant("cancel: no practitioner's lock", (Edit("cancel_booking", _LOCK_PRACTITIONERS),), (LOCKS,)),
    Mutant(
        "end: what is not booked any more",
        (Edit("end_booking", r" and a\.status = 'booked'"),),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "end: the slot stays taken",
        (Edit("end_booking", r"state = 'released', ended_at = clock_timestamp\(\)", "state = h.state"),),
        (BOOKINGS,),
    ),
    Mutant("move: no practitioner's lock", (Edit("reschedule_booking", _LOCK_PRACTITIONERS),), (LOCKS,)),
    Mutant("move: no FOR UPDATE", (Edit("reschedule_booking", r"for update of s\b"),), (LOCKS,)),
    Mutant(
        "move: onto what is taken",
        (Edit("reschedule_booking", r"h\.id <> v_old\.hold_id and", "false and"), _NO_CONSTRAINT),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "move: its own old slot is in the way",
        (Edit("reschedule_booking", r"h\.id <> v_old\.hold_id and", ""),),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "move: the old one stays",
        (Edit("reschedule_booking", r"perform app\.end_booking\(p_org, p_booking, 'rescheduled'\);"),),
        (BOOKINGS, LIVES),
    ),
    Mutant(
        "move: somebody else's",
        (Edit("reschedule_booking", r"\(p_contact is null or a\.contact_id = p_contact\)", "true"),),
        (BOOKINGS,),
    ),
    Mutant(
        "an appointment on a hold that is not booked",
        (_without_reference("appointments", "hold_state"),),
        (BY_HAND,),
    ),
    Mutant(
        "a hold at other times than its slot's",
        (_without_reference("appointment_holds", "starts_at"),),
        (HOLDS,),
    ),
)

_CLINIC_ID_FIRST = """
create or replace function app.org_id() returns uuid language sql stable parallel safe as $$
    select coalesce(claims ->> 'clinic_id', claims ->> 'org_id')::uuid
    from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) setting
$$
"""
TENANCY = (
    Mutant(
        "a claim outlives its transaction", (Edit("arm", r"claims, true\)", "claims, false)"),), (CLAIMED,)
    ),
    Mutant(
        "a claim without an org is armed",
        (Edit("arm", r"(v_org|app\.org_id\(\)) is null", "false"),),
        (CLAIMED,),
    ),
    Mutant(
        "no function asks whose claim it is",
        (
            Edit(
                "require_org",
                r"if asked is null or asked is distinct from app\.org_id\(\) then",
                "if false then",
            ),
        ),
        (FUNCTIONS,),
    ),
    Mutant("clinic_id before org_id", (_CLINIC_ID_FIRST,), (CLAIMED,)),
    Mutant(
        "a function with its owner's rights",
        ("alter function app.find_booking(uuid, uuid) security definer",),
        (FUNCTIONS,),
    ),
    Mutant(
        "a definer that trusts a search path",
        ("alter function app.resolve_org(text) reset search_path",),
        (FUNCTIONS,),
    ),
    Mutant(
        "the queue within reach",
        ("grant usage on schema jobs to gw_app", "grant select on all tables in schema jobs to gw_app"),
        (TABLES,),
    ),
    Mutant(
        "gw_worker reads whole rows", ("grant select on public.appointment_holds to gw_worker",), (TABLES,)
    ),
    Mutant(
        "a new table without protection",
        (
            "create table public.forgotten (org_id uuid not null)",
            "alter table public.forgotten owner to gw_owner",
        ),
        (TABLES,),
    ),
    Mutant(
        "who owns what elsewhere is told of one's own",
        (Edit("owned_elsewhere", r"v_owner <> p_org", "v_owner is not null"),),
        ("tests/booking/test_audit.py", "tests/gateway/api/test_tenancy.py"),
    ),
)

# Other indexes show at full size alone: one clinic's holds and appointments are too few before.
_INDEXES = ("slots_by_service", "holds_by_expiry")
PLANNED = tuple(Mutant(f"no index {name}", (f"drop index public.{name}",), (PLANS,)) for name in _INDEXES)

MUTANTS = (*CLAIM, *GIVING_BACK, *CODES, *APPOINTMENTS, *TENANCY, *PLANNED)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
