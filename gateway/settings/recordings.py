"""Where the sound of calls is kept."""

import re
from dataclasses import dataclass, field

from gateway.settings.reader import Reader

_PLACE = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


@dataclass(frozen=True, slots=True)
class Recordings:
    """Where the sound of calls goes: a bucket of S3, or at `endpoint` of what speaks it.

    `part_s`: so much of a call is one object; `buffer_s`: so much of each call is held in memory while the
    store takes nothing; `put_s`: one request to it; `finish_s`: how long after a call's end its last part is
    tried.
    """

    endpoint: str
    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    prefix: str = ""
    part_s: float = 30.0
    buffer_s: float = 120.0
    put_s: float = 20.0
    finish_s: float = 300.0


def read_recordings(reader: Reader) -> Recordings | None:
    """None unless a bucket is named."""
    usual = Recordings("", "", "", "", "")
    numbers = {name: getattr(usual, name) for name in ("part_s", "buffer_s", "put_s", "finish_s")}
    chosen = Recordings(
        endpoint=reader.url("RECORDINGS_ENDPOINT", "", ("https", "http")),
        bucket=reader.text("RECORDINGS_BUCKET", ""),
        region=reader.text("RECORDINGS_REGION", "us-east-1"),
        access_key_id=reader.text("RECORDINGS_ACCESS_KEY_ID", ""),
        secret_access_key=reader.text("RECORDINGS_SECRET_ACCESS_KEY", "", secret=True),
        prefix=reader.text("RECORDINGS_PREFIX", "recordings").strip("/"),
        **reader.numbers(numbers, "RECORDINGS_"),
    )
    if not chosen.bucket:
        return None
    if not chosen.access_key_id or not chosen.secret_access_key:
        reader.faults.append("RECORDINGS_ACCESS_KEY_ID and RECORDINGS_SECRET_ACCESS_KEY are missing")
    if not _PLACE.fullmatch(chosen.prefix):
        reader.faults.append("RECORDINGS_PREFIX must be letters, digits, dots, dashes and slashes")
    if chosen.buffer_s < 2 * chosen.part_s:
        reader.faults.append("RECORDINGS_BUFFER_S must hold two parts (RECORDINGS_PART_S) at least")
    return chosen
