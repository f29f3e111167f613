"""The clinic's own words: what a recogniser is told of them, and what masks a call's words by them."""

from collections.abc import Callable

from booking.types import OrgProfile
from compliance.redaction import CallRedactor
from compliance.redaction.call import OnMasked
from gateway.code_redactor import CodeRedactor, without_codes


def profile_redactor(profile: OrgProfile, on_masked: OnMasked, *, numbered: bool) -> CallRedactor:
    """One call's, which knows the clinic's own words: its services are medical, its people's names stand."""
    services = [name for service in profile.services for name in (service.name, *service.synonyms)]
    keep = [profile.name, profile.agent_name, *(each.name for each in profile.practitioners)]
    return CallRedactor(services=services, keep=keep, numbered=numbered, on_masked=on_masked)


def call_redactor(
    profile: OrgProfile, on_masked: OnMasked, code_awaited: Callable[[], bool], *, numbered: bool
) -> CodeRedactor:
    """The same of a call in which codes are told: one that is awaited is hidden."""
    redactor = profile_redactor(profile, without_codes(on_masked, code_awaited), numbered=numbered)
    return CodeRedactor(redactor, code_awaited)


def keyterms(profile: OrgProfile) -> list[str]:
    """The words of this clinic that a recogniser would not guess, those asked for most first."""
    return [
        *(service.name for service in profile.services),
        *(practitioner.name for practitioner in profile.practitioners),
        *(synonym for service in profile.services for synonym in service.synonyms),
    ]
