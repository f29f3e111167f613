"""How a clinic follows calls up: on or off, in whose name, with which words, to whom and when."""

from dataclasses import dataclass
from datetime import time
from typing import Final, Literal
from urllib.parse import urlsplit

import asyncpg

from booking import db
from booking.errors import ClinicInvalid
from booking.follow_up_text import TEMPLATE, TEMPLATE_WITH_BOOKING, require_template
from booking.types import Actor, Claim

Consent = Literal["asked", "inquiry"]
_LONGEST_URL: Final = 2000


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """`template` None: ours. `quiet_from` to `quiet_to`: the contact's own time; the same for none at all.

    `consent` asked: whoever said yes to texts is texted; inquiry: also whoever was not asked and did not
    refuse, which the law of some places allows as the answer to an inquiry.
    `window_days`: within which a lead gets one; `link_days`: the life of the link.
    """

    enabled: bool = True
    agent_name: str = "Sarah"
    template: str | None = None
    names_procedure: bool = False
    consent: Consent = "asked"
    quiet_from: time = time(20, 0)
    quiet_to: time = time(9, 0)
    window_days: int = 30
    link_days: int = 14
    booking_url: str | None = None

    @property
    def words(self) -> str:
        """The template that counts."""
        return self.template or (TEMPLATE_WITH_BOOKING if self.booking_url else TEMPLATE)


def require_sound(rules: FollowUpRules, clinic: str) -> None:
    """Raises `ClinicInvalid`, which names the first field that makes no sense."""
    name = rules.agent_name
    if not (1 <= len(name) <= 100 and name.isprintable() and name == name.strip()):
        raise ClinicInvalid("agent_name", "is not 1 to 100 printable characters without space around them")
    for field, days, most in (("window_days", rules.window_days, 365), ("link_days", rules.link_days, 90)):
        if not 1 <= days <= most:
            raise ClinicInvalid(field, f"is not 1 to {most}")
    if rules.booking_url is not None and not _is_https(rules.booking_url):
        raise ClinicInvalid("booking_url", f"is no https address of {_LONGEST_URL} characters at most")
    require_template(rules.words, names_procedure=rules.names_procedure, clinic=clinic, agent=name)


async def load_rules(pool: asyncpg.Pool, claim: Claim) -> FollowUpRules:
    """Raises `BookingUnavailable`."""
    (row,) = await db.fetch(pool, claim, "follow_up_rules")
    return FollowUpRules(**dict(row))


async def store_rules(
    pool: asyncpg.Pool, claim: Claim, rules: FollowUpRules, *, clinic: str, actor: Actor
) -> None:
    """From now on these hold, for follow-ups that wait too. Audited. Raises `ClinicInvalid`."""
    require_sound(rules, clinic)
    await db.fetch(
        pool,
        claim,
        "set_follow_up_rules",
        rules.enabled,
        rules.agent_name,
        rules.template,
        rules.names_procedure,
        rules.consent,
        rules.quiet_from,
        rules.quiet_to,
        rules.window_days,
        rules.link_days,
        rules.booking_url,
        actor.kind,
        actor.id,
    )


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
    return sound and len(url) <= _LONGEST_URL and url.isprintable() and " " not in url
