"""What the caller said of themselves is masked in whatever the API shows: the transcript, lists, the report.

Whether the recogniser heard it at all is told by the report, which counts what was masked by kind: a canary
that nobody heard proves nothing.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.validate.checked import Checked, NotTried
from bench.validate.deployment import Answer
from bench.validate.trial import TrialOrg
from booking.db import open_pool, org_transaction
from booking.errors import BookingError
from booking.types import Claim

NAME: Final = "redaction"
RECORDING: Final = Path(__file__).with_name("canary.wav")
SHOWN: Final = (
    "/follow-ups",
    "/replies",
    "/bookings",
    "/audit",
    "/compliance/report",
    "/compliance/report.html",
)


@dataclass(frozen=True, slots=True)
class Canary:
    """What was said, as it would be written: `words` in lower case, or `digits` of a number. `kind` is the
    placeholder's.
    """

    kind: str
    words: tuple[str, ...] = ()
    digits: str = ""

    def in_text(self, text: str) -> bool:
        plain = text.casefold()
        if any(re.search(rf"\b{re.escape(word)}\b", plain) for word in self.words):
            return True
        return bool(self.digits) and self.digits in re.sub(r"[\s().+-]", "", text)


def canaries() -> list[Canary]:
    """Of the recorded call; the file beside it says what its speaker tells."""
    told = tomllib.loads(RECORDING.with_suffix(".toml").read_text(encoding="utf-8"))
    return [
        Canary(each["kind"], tuple(each.get("words", ())), each.get("digits", "")) for each in told["canary"]
    ]


async def check(org: TrialOrg, database_url: str | None) -> Checked:
    """The transcript is read as the gateway's own role, under the org's claim; without an URL it is not."""
    answers = {path: await org.api.request("GET", path) for path in SHOWN}
    shown = [text for answer in answers.values() for text in _texts(answer)]
    spoken = [] if database_url is None else await _transcript(org, database_url)
    wanted = canaries()
    leaked = sorted({each.kind for each in wanted for text in [*shown, *spoken] if each.in_text(text)})
    masked: dict[str, int] = (answers["/compliance/report"].body or {}).get("masked", {})
    unheard = sorted({each.kind for each in wanted} - masked.keys())
    return _judged(leaked, unheard, masked, len(shown) + len(spoken), turns=len(spoken))


async def _transcript(org: TrialOrg, database_url: str) -> list[str]:
    """Raises `NotTried` if the database cannot be asked."""
    try:
        async with (
            await open_pool(database_url, max_size=1) as pool,
            org_transaction(pool, Claim(org.org_id)) as connection,
        ):
            turns = await connection.fetch("select said from public.call_turns order by stored_at, turn")
    except BookingError as error:
        raise NotTried(str(error)) from None
    return [text for turn in turns for text in _strings(msgspec.json.decode(turn["said"]))]


def _texts(answer: Answer) -> list[str]:
    return [answer.text] if answer.body is None else list(_strings(answer.body))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, each in value.items():
                yield key
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)


def _judged(
    leaked: list[str], unheard: list[str], masked: dict[str, int], looked_at: int, *, turns: int
) -> Checked:
    told = f"{sum(masked.values())} values masked ({', '.join(sorted(masked)) or 'none'})"
    transcript = f"{turns} of them of the transcript" if turns else "no transcript within reach"
    if not leaked:
        told += f", none of them in {looked_at} texts that were looked at, {transcript}"
    faults = [
        *([f"SHOWN: {', '.join(leaked)}"] if leaked else []),
        *([f"never masked, so perhaps never heard: {', '.join(unheard)}"] if unheard else []),
    ]
    return Checked(
        NAME,
        not leaked and not unheard,
        "; ".join([told, *faults]),
        {"masked": masked, "shown": leaked, "not_masked": unheard, "texts_looked_at": looked_at},
    )
