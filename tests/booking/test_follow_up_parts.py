"""The pure parts of a follow-up: what was asked about, what is said, when, by which link, what comes next."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.errors import ClinicInvalid
from booking.follow_up_hours import next_decent, until_quiet, zones_of
from booking.follow_up_links import GuideLinks
from booking.follow_up_procedure import Procedures
from booking.follow_up_steps import (
    AskProvider,
    EndCall,
    Facts,
    Fail,
    LeadWords,
    Nothing,
    Prepare,
    Retry,
    Send,
    Skip,
    Step,
    Wait,
    consent_refusal,
    next_step,
)
from booking.follow_up_text import TEMPLATE, first_name, personal_line, require_template, size_of
from booking.number_zones import ZONES
from booking.types import Service

NOSE, FILLER, EYES, PEEL, BOTOX, PRP = (UUID(int=n) for n in range(1, 7))
SERVICES = (
    Service(NOSE, "Rhinoplasty consultation", ("nose job",), 30),
    Service(FILLER, "Dermal filler", ("fillers", "lip filler"), 45),
    Service(EYES, "Blepharoplasty", ("eyelid surgery", "eye lift"), 60),
    Service(PEEL, "Chemical peel", (), 30),
    Service(BOTOX, "Botox", (), 30),
    Service(PRP, "P.R.P.", (), 30),
)
LONDON, NEW_YORK = map(ZoneInfo, ("Europe/London", "America/New_York"))
ST_JOHNS, LOS_ANGELES = map(ZoneInfo, ("America/St_Johns", "America/Los_Angeles"))


# --- what was asked about -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("I've been thinking about a nose job.", NOSE),
        ("How much is rhinoplasty?", NOSE),
        ("Do you do rhinoplasties?", NOSE),
        ("I'd like nose jobs for two, please", NOSE),
        ("what about a NOSE-JOB then", NOSE),
        ("it's about rino plasty", NOSE),
        ("a blepharo plasty, I think it's called", EYES),
        ("My eyelids, eyelid surgery", EYES),
        ("lip filler", FILLER),
        ("I don't want a nose job, I want a chemical peel", PEEL),
        ("a peel no, rather than that fillers", None),
        ("a nose job or maybe a chemical peel", PEEL),
        ("no fillers please", None),
        ("My nose runs and I need a new job", None),
        ("a consultation please", None),
        ("No, a nose job.", NOSE),
        ("No. Rhinoplasty please.", NOSE),
        ("No, rhinoplasty please", NOSE),
        ("No! Rhino plasty!", NOSE),
        ("No\N{EM DASH}a nose job.", NOSE),
        ("not Botox, a nose job", NOSE),
        ("a nose job, not Botox", NOSE),
        ("Botox? No. A nose job", NOSE),
        ("no. Botox.", BOTOX),
        ("No, not Botox.", None),
        ("not Botox", None),
        ("Well, I don't want Botox.", None),
        ("No, P.R.P., please", PRP),
        ("a chemical, I mean, no P.R.P.", None),
        ("", None),
    ],
)
def test_a_service_is_found_in_the_callers_words(said: str, meant: UUID | None) -> None:
    assert Procedures(SERVICES).asked(said) == meant


def test_a_word_that_two_services_share_means_neither() -> None:
    services = (Service(NOSE, "Skin consultation", (), 30), Service(PEEL, "Skin treatment", (), 30))
    assert Procedures(services).asked("something about skin") is None


@given(st.text(max_size=200))
def test_no_words_are_too_strange(said: str) -> None:
    assert Procedures(SERVICES).asked(said) in (None, NOSE, FILLER, EYES, PEEL, BOTOX, PRP)


# --- what it says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("\u20ac" * 80, ("GSM-7", 160, 1)),
        ("a" * 152 + "\u20ac" + "a" * 7, ("GSM-7", 161, 2)),  # the euro's two do not fall apart
        ("a" * 152 + "\u20ac" + "a" * 152, ("GSM-7", 306, 3)),
        ("\u00e7" * 70, ("UCS-2", 70, 1)),
        ("\u00e7" * 71, ("UCS-2", 71, 2)),
        ("\U0001f600" * 35, ("UCS-2", 70, 1)),
        ("\U0001f600" * 67, ("UCS-2", 134, 3)),  # 33 pairs to a segment of 67
    ],
)
def test_segments_are_counted_as_carriers_count_them(text: str, size: tuple[str, int, int]) -> None:
    found = size_of(text)
    assert (found.encoding, found.units, found.segments) == size


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{personal} {link} STOP to end. {surgeon}", "a place that there is not"),
        ("{personal} STOP to end.", "no {link}"),
        ("{link} Tell us to stop.", "STOP"),
        ("{link} {procedure} STOP", "names the procedure"),
        ("{link} {clinic!r} STOP", "format"),
        ("{link STOP", "brace"),
        ("{link.__class__} STOP", "a place that there is not"),
        ("{link} STOP " + "x" * 900, "segments"),
    ],
)
def test_a_template_that_cannot_be_sent_is_refused(template: str, fault: str) -> None:
    with pytest.raises(ClinicInvalid, match=fault):
        require_template(template, names_procedure=False, clinic="Harley Street Clinic", agent="Sarah")


def test_ours_and_one_that_may_name_the_procedure_can_be_sent() -> None:
    assert require_template(TEMPLATE, names_procedure=False, clinic="A", agent="Sarah").encoding == "GSM-7"
    require_template("{procedure}: {link} STOP to end.", names_procedure=True, clinic="A", agent="Sarah")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ada Byron", "Ada"),
        ("Dr. Ada Byron", "Ada"),
        ("Mrs Byron", None),
        ("Jean-Luc", "Jean-Luc"),
        ("D'Arcy Wentworth", "D'Arcy"),
        ("07700900123", None),
        ("http://evil.example", None),
        ("", None),
        (None, None),
    ],
)
def test_people_are_greeted_by_what_is_surely_a_first_name(name: str | None, first: str | None) -> None:
    assert first_name(name) == first


def test_the_personal_line_says_when_they_called_in_their_own_time() -> None:
    called = datetime(2031, 5, 6, 23, tzinfo=UTC)
    assert personal_line("Ada Byron", called, called, LONDON) == (
        "Hi Ada, thank you for calling this morning."  # midnight there
    )
    assert personal_line(None, called, called, NEW_YORK) == "Hello, thank you for calling this evening."
    for days, when in ((1, "yesterday"), (2, "on Tuesday")):
        told = personal_line(None, called, called + timedelta(days=days), NEW_YORK)
        assert told == f"Hello, thank you for calling {when}."


# --- when -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "known", "zones"),
    [
        ("+447700900123", None, (LONDON,)),
        ("+12135550123", None, (ST_JOHNS, LOS_ANGELES)),
        ("+12135550123", "America/New_York", (NEW_YORK,)),
        ("+12135550123", "Nowhere/At_All", (ST_JOHNS, LOS_ANGELES)),
        ("+18085550123", None, (ZoneInfo("Pacific/Honolulu"),)),
        ("+37112345678", None, (ZoneInfo("Europe/Riga"),)),
        ("+77012345678", None, (ZoneInfo("Asia/Almaty"), ZoneInfo("Asia/Aqtau"))),
        ("+870773111632", None, (ZoneInfo("Europe/Berlin"),)),  # by satellite: the clinic's
    ],
)
def test_a_number_tells_where_it_is_what_time(
    number: str, known: str | None, zones: tuple[ZoneInfo, ...]
) -> None:
    assert zones_of(number, known, "Europe/Berlin") == zones


@pytest.mark.parametrize(
    ("now", "zones", "decent"),
    [
        ("2031-05-06T11:00", (LONDON,), "2031-05-06T11:00"),
        ("2031-05-06T20:00", (LONDON,), "2031-05-07T08:00"),  # nine in the evening, British summer time
        ("2031-05-06T06:59", (LONDON,), "2031-05-06T08:00"),
        ("2031-05-06T13:30", (NEW_YORK, LOS_ANGELES), "2031-05-06T16:00"),
        ("2031-03-09T12:00", (NEW_YORK,), "2031-03-09T13:00"),  # the clocks went forward in the night
        ("2031-10-26T02:00", (LONDON,), "2031-10-26T09:00"),  # and back
    ],
)
def test_a_text_waits_for_a_decent_hour(now: str, zones: tuple[ZoneInfo, ...], decent: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = next_decent(at, zones, time(20), time(9))
    assert found == datetime.fromisoformat(decent).replace(tzinfo=UTC)
    assert next_decent(at, zones, time(9), time(9)) == at  # no quiet hours


@pytest.mark.parametrize(
    ("now", "number", "decent"),
    [
        ("2031-05-06T19:30", "+17095550123", "2031-05-07T12:00"),  # nine at night in St John's
        ("2031-05-06T19:30", "+19025550123", "2031-05-07T12:00"),  # Halifax
        ("2031-05-06T19:30", "+17875550123", "2031-05-07T12:00"),  # Puerto Rico
        ("2031-05-06T08:00", "+16715550123", "2031-05-06T19:00"),  # Guam: nine in the morning
        ("2031-05-06T08:00", "+16705550123", "2031-05-06T19:00"),  # Saipan
        ("2031-05-06T08:00", "+16845550123", "2031-05-06T16:00"),  # Pago Pago
        ("2031-05-06T08:00", "+18085550123", "2031-05-06T15:00"),  # Honolulu
        ("2031-05-06T08:00", "+19075550123", "2031-05-06T14:00"),  # Adak
        ("2031-05-06T08:00", "+12125550123", "2031-05-06T12:00"),  # New York or whoever moved to Los Angeles
        ("2031-05-06T18:30", "+558135550123", "2031-05-07T10:00"),  # Fernando de Noronha, Rio Branco
        ("2031-05-06T05:45", "+61255501234", "2031-05-06T21:00"),  # Lord Howe Island, Perth
        ("2031-05-05T22:00", "+61891621234", "2031-05-05T22:30"),  # Cocos Islands
        ("2031-05-05T22:00", "+61891641234", "2031-05-05T22:00"),  # Christmas Island
        ("2031-05-06T03:30", "+6433051234", "2031-05-06T17:00"),  # the Chatham Islands
        ("2031-05-06T14:00", "+923001234567", "2031-05-07T00:00"),  # Karachi: eleven at night
        ("2031-05-06T14:00", "+97455123456", "2031-05-07T02:00"),  # Doha
        ("2031-05-06T03:30", "+79161234567", "2031-05-06T03:30"),  # nine in Kaliningrad, evening in Kamchatka
        ("2031-05-06T04:30", "+79161234567", "2031-05-07T03:00"),
    ],
)
def test_nobody_is_woken_wherever_the_number_may_be(now: str, number: str, decent: str) -> None:
    """Both times are New York's."""
    at, expected = (datetime.fromisoformat(each).replace(tzinfo=NEW_YORK) for each in (now, decent))
    assert next_decent(at, zones_of(number, None, "America/New_York"), time(20), time(9)) == expected


def test_every_zone_of_a_country_is_one_and_the_east_comes_first() -> None:
    at = datetime(2031, 1, 6, tzinfo=UTC)
    for beginning, names in ZONES.items():
        offsets = [at.astimezone(ZoneInfo(name)).utcoffset() or timedelta(0) for name in names]
        assert sorted(offsets, reverse=True) == offsets, beginning


def test_how_long_it_stays_decent() -> None:
    noon = datetime(2031, 5, 6, 11, tzinfo=UTC)
    assert until_quiet(noon, (LONDON,), time(20), time(9)) == timedelta(hours=8)
    assert until_quiet(noon, (LONDON,), time(0), time(0)) == timedelta(days=1)


# --- links ----------------------------------------------------------------------------------------------


def test_a_link_is_short_opaque_and_ours_alone() -> None:
    old, new = b"o" * 32, b"n" * 32
    links, org, call = GuideLinks([old], "https://g.example"), uuid4(), uuid4()
    link = links.link(org, call)
    token = link.url.removeprefix("https://g.example/g/")
    assert (len(token), links.digest_in(token), links.link(org, call)) == (20, link.digest, link)
    assert links.link(uuid4(), call).digest != link.digest
    after = GuideLinks([new, old], "https://g.example")
    assert after.digest_in(token) == link.digest
    assert after.link(org, call).digest != link.digest == after.link(org, call, link.digest).digest
    assert GuideLinks([new], "https://g.example").digest_in(token) is None
    for wrong in (token[:-1], token + "A", "!" * 20, token[1:] + token[0], ""):
        assert links.digest_in(wrong) is None


@given(st.text(max_size=40))
def test_no_other_text_is_a_link(text: str) -> None:
    assert GuideLinks([b"k" * 32], "https://g.example").digest_in(text) is None


# --- what comes next ------------------------------------------------------------------------------------

NOW = datetime(2031, 5, 6, 11, tzinfo=UTC)
UNSURE = timedelta(minutes=5)
BASE = Facts(
    state="due",
    service_id=NOSE,
    texts_wanted=True,
    attempt=0,
    deferred=False,
    message_id=None,
    settled_at=NOW,
    next_at=NOW + timedelta(minutes=1),
    started_at=NOW - timedelta(minutes=3),
    ended_at=NOW,
    end_reason="caller_hung_up",
    continued=False,
    contact_id=None,
    service_name="Rhinoplasty consultation",
    has_guide=True,
    guide_url=None,
    org_name="Harley Street Clinic",
    org_zone="Europe/London",
    message_status=None,
    message_code=None,
    message_recorded_at=None,
    code_digest=None,
)
SENT = replace(BASE, state="sending", attempt=1, message_id=uuid4(), message_recorded_at=NOW)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (replace(BASE, state="open", next_at=NOW + UNSURE), Nothing()),
        (replace(BASE, state="open", next_at=NOW), EndCall()),
        (BASE, Prepare()),
        (replace(BASE, continued=True), Skip("continued")),
        (replace(BASE, end_reason="socket_lost"), Wait(NOW + timedelta(seconds=10))),
        (
            replace(BASE, end_reason="socket_lost", ended_at=NOW - timedelta(seconds=10)),
            Prepare(),
        ),
        (replace(SENT, message_recorded_at=None), Send()),
        (
            replace(SENT, attempt=2, message_recorded_at=None, next_at=NOW + UNSURE),
            Wait(NOW + UNSURE),
        ),
        (replace(SENT, message_status="recorded"), Wait(NOW + UNSURE)),
        (
            replace(SENT, message_status="recorded", message_recorded_at=NOW - UNSURE),
            AskProvider(),
        ),
        (replace(SENT, message_status="lost"), Retry(timedelta(0))),
        (replace(SENT, message_status="lost", attempt=5), Fail("tried_often")),
        (replace(SENT, message_status="undelivered", message_code=30003), Retry(timedelta(minutes=1))),
        (
            replace(SENT, message_status="undelivered", message_code=30008, attempt=3),
            Retry(timedelta(hours=1)),
        ),
        (replace(SENT, message_status="undelivered", message_code=30005), Fail("receiver")),
        (replace(SENT, message_status="refused", message_code=21610), Fail("stopped")),
        (replace(SENT, message_status="refused", message_code=21606), Fail("refused")),
        (replace(SENT, message_status="refused"), Retry(timedelta(minutes=1))),
        (replace(SENT, state="sent", message_status="queued"), Nothing()),
        (replace(SENT, state="failed"), Nothing()),
    ],
)
def test_the_next_step_follows_from_what_is_known(facts: Facts, step: Step) -> None:
    assert next_step(facts, NOW, UNSURE) == step


EARLIER, LATER = NOW - timedelta(days=2), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("wanted", "words", "consent", "refusal"),
    [
        (True, LeadWords(None, None, stopped=False), "asked", None),
        (True, LeadWords(None, LATER, stopped=False), "asked", None),  # the later word counts
        (True, LeadWords(LATER, None, stopped=True), "asked", "stopped"),
        (False, LeadWords(LATER, None, stopped=False), "inquiry", "declined"),
        (None, LeadWords(LATER, EARLIER, stopped=False), "asked", None),
        (None, LeadWords(EARLIER, LATER, stopped=False), "inquiry", "declined"),
        (None, LeadWords(None, None, stopped=False), "asked", "no_consent"),
        (None, LeadWords(None, None, stopped=False), "inquiry", None),
    ],
)
def test_who_may_be_texted(wanted: bool | None, words: LeadWords, consent: str, refusal: str | None) -> None:
    assert consent_refusal(wanted, words, consent) == refusal  # type: ignore[arg-type]
