"""All operations of the API."""

from gateway.api import (
    audio_calls,
    bookings,
    codes,
    compliance_people,
    compliance_records,
    compliance_sealed,
    follow_ups,
    handover,
    holds,
    orgs,
    orgs_offer,
    orgs_secrets,
    orgs_tokens,
    placed_calls,
    recordings,
    slots,
)

OPERATIONS = (
    *slots.OPERATIONS,
    *holds.OPERATIONS,
    *codes.OPERATIONS,
    *bookings.OPERATIONS,
    *orgs.OPERATIONS,
    *orgs_offer.OPERATIONS,
    *orgs_secrets.OPERATIONS,
    *orgs_tokens.OPERATIONS,
    *compliance_sealed.OPERATIONS,
    *compliance_people.OPERATIONS,
    *compliance_records.OPERATIONS,
    *follow_ups.OPERATIONS,
    *audio_calls.OPERATIONS,
    *placed_calls.OPERATIONS,
    *recordings.OPERATIONS,
    *handover.OPERATIONS,
)
