"""How much of anything there may be. Each field is set by the variable of the same name in capitals."""

from dataclasses import dataclass

from gateway.settings.reader import Reader, defaults_of

MIN_JOBS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything."""

    max_calls: int = 100  # of this process; one more is refused in words, and `/readyz` says full
    media_frame_bytes: int = 65_536
    media_frames_per_s: int = 200
    media_garbage_frames: int = 50
    outbound_frame_ms: int = 100  # 20 to 100: smaller ones jitter, larger ones lag behind a clear
    reconnect_attempts: int = 2
    feed_events: int = 1_000
    knowledge_passages: int = 3  # told to the model in one turn
    database_connections: int = 14  # of this process at most; each job under way may take one
    api_body_bytes: int = 65_536
    vapi_body_bytes: int = 4_194_304  # one message of Vapi's: a whole assistant, and all that was said
    vapi_text_characters: int = 3_000  # spoken for Vapi in one request
    jobs_at_once: int = 8  # background jobs of this process; 2 at least


def read_limits(reader: Reader) -> Limits:
    """Each by its own name."""
    limits = Limits(**reader.numbers(defaults_of(Limits)))
    if not 20 <= limits.outbound_frame_ms <= 100:
        reader.faults.append(f"OUTBOUND_FRAME_MS must be 20 to 100, not {limits.outbound_frame_ms}")
    if limits.jobs_at_once < MIN_JOBS_AT_ONCE:
        reader.faults.append(f"JOBS_AT_ONCE must be at least {MIN_JOBS_AT_ONCE}, not {limits.jobs_at_once}")
    return limits
