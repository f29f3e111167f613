"""How long anything may take. Each field is set by the variable of the same name in capitals."""

from dataclasses import dataclass

from gateway.settings.reader import Reader, defaults_of

LONGEST_CODE_S = 600.0  # NIST SP 800-63B-4 section 3.1.3.2: ten minutes


@dataclass(frozen=True, slots=True)
class Waits:
    """How long anything at the edge may take, in seconds."""

    webhook_s: float = 8.0  # resolving the org before the answer document; Twilio gives up at 15 s
    prewarm_s: float = 30.0  # opened providers wait this long for the call's media
    token_s: float = 60.0  # a media token's life
    media_start_s: float = 10.0  # from accepted socket to its valid `start`
    media_idle_s: float = 30.0  # no frame at all from the carrier
    media_send_s: float = 5.0  # the carrier does not read
    media_close_s: float = 2.0  # the closing handshake
    providers_s: float = 5.0  # opening STT and knowing the org, once the media are there
    hang_up_s: float = 5.0  # the carrier's REST interface
    call_limited_s: float = 60.0  # until the hard limit of a call is ordered at Twilio
    call_close_s: float = 5.0  # writing the call's record, giving back its hold
    redis_s: float = 0.25  # one Redis command
    database_s: float = 3.0  # one look-up or booking
    phrase_s: float = 10.0  # fetching one stock phrase's audio
    drain_s: float = 900.0  # SIGTERM until live calls are cut
    credentials_memory_s: float = 5.0
    credentials_redis_s: float = 300.0
    changes_quiet_s: float = 10.0  # nothing heard of changes: is the connection to Redis still there?
    changes_retry_s: float = 1.0  # between two tries to listen for changes
    caller_deadline_s: float = 0.25  # finding out who has been here before; then the caller is somebody new
    knowledge_deadline_s: float = 0.06  # finding passages for what the caller said; then it goes without
    unknown_s: float = 15.0  # that a number belongs to nobody, or an org has no keys
    hold_s: float = 600.0  # the life of a slot's hold
    sms_s: float = 4.0  # the carrier's taking of one text message
    code_s: float = 600.0  # the life of a code; 600 at most
    code_resend_s: float = 30.0  # within which a call asks for the same code once
    api_body_s: float = 10.0  # an API request's body to arrive
    jwt_leeway_s: float = 30.0  # by which the clocks of who signs a token and ours may differ
    jwks_fetch_s: float = 3.0  # the identity provider's keys to arrive
    jwks_fresh_s: float = 600.0  # that they are used before they are looked at again
    jwks_stale_s: float = 3600.0  # that they are used while their provider is away
    jwks_retry_s: float = 5.0  # between two looks for keys that were not there
    idempotency_s: float = 86400.0  # that an API request's answer is kept for its repetitions
    idempotency_pending_s: float = 60.0  # an unanswered request counts as under way
    vapi_assistant_s: float = 4.0  # which assistant takes a call; Vapi gives up at 7.5 s
    vapi_tools_s: float = 12.0  # the tools of one request of Vapi's; its own patience is set to more
    vapi_settle_s: float = 15.0  # keeping a report of Vapi's
    vapi_silent_s: float = 900.0  # nothing heard of a call: Vapi is asked
    vapi_report_s: float = 120.0  # from a call's end to its report: then Vapi is asked
    job_s: float = 60.0  # one run of a background job; then it is put off
    jobs_drain_s: float = 10.0  # jobs under way when the process ends; the rest is put back
    calendar_s: float = 10.0  # one request to a calendar
    vapi_transcription_s: float = 43_200.0  # of one call at Vapi, whose longest that is


def read_waits(reader: Reader) -> Waits:
    """Each by its own name."""
    waits = Waits(**reader.numbers(defaults_of(Waits)))
    if waits.code_s > LONGEST_CODE_S:
        reader.faults.append(f"CODE_S must be {LONGEST_CODE_S:g} at most, not {waits.code_s:g}")
    return waits
