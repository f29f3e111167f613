"""What a Deepgram session is asked for. Times in the unit that ends the name."""

from dataclasses import dataclass, field

from pipeline.providers.audio_format import PHONE, AudioFormat


@dataclass(frozen=True, slots=True)
class DeepgramConfig:
    """`url`: http, https, ws or wss, without the path. `model` decides the endpoint: `flux-*` is /v2/listen.

    `keyterms` are plain words (Nova-3 and Flux; older models get them as `keywords`), at most 500 tokens in
    all. `mip_opt_out` keeps health data out of the vendor's model improvement and is on for that reason.
    """

    api_key: str = field(repr=False)
    url: str = "https://api.deepgram.com"
    model: str = "flux-general-en"
    language: str = "en"
    keyterms: tuple[str, ...] = ()
    mip_opt_out: bool = True
    audio: AudioFormat = PHONE

    # Flux
    eot_threshold: float | None = None
    eager_eot_threshold: float | None = 0.5
    eot_timeout_ms: int | None = None

    # Nova
    endpointing_ms: int = 300
    utterance_end_ms: int = 1000
    eager_silence_s: float = 0.15  # after the caller's last sound, its words known: an eager end of the turn

    # The socket
    chunk_ms: int = 20  # audio per message
    open_s: float = 3.0
    close_s: float = 1.0
    open_attempts: int = 2  # connects before a session is refused
    attempts: int = 6  # connects in a row without a message heard before a session is given up
    backoff_s: float = 0.1  # before the second attempt, then doubled
    backoff_max_s: float = 1.6

    # What keeps a turn from being lost
    idle_after_s: float = 0.5  # no caller audio for so long: silence is fed
    keep_alive_s: float = 4.0
    mute_after_s: float = 2.5  # a turn is open, or the caller talks, and the recogniser says nothing
    force_wait_s: float = 1.0  # for the answer to a forced end of turn
    preroll_s: float = 2.0  # audio kept for a replay while no turn is open
    replay_max_s: float = 6.0  # audio kept while a turn is open or the socket is down
    max_queued_events: int = 256
