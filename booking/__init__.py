"""Appointments of clinics: slots, holds, codes by text message, bookings, calendars, background jobs.

A package of its own over PostgreSQL: it works without the gateway, and knows nothing of calls but their id.
The rules are SQL functions, and row level security lets each statement see one org. What it asks of others
are the ports in `booking.ports`; adapters stand in `booking.sms` (Twilio), `booking.calendar` (Google) and
`booking.sealing` (master keys).

To begin: `python -m booking.migrate` makes the schema, `python -m booking.onboard` a clinic. Then

    pool = await booking.db.open_pool(DATABASE_URL)          role gw_app
    org_id = await booking.orgs.resolve_number(pool, "+44…")  whose number it is
    claim = booking.types.Claim(org_id)                      what every other function asks for

and on with `booking.slots`, `booking.holds`, `booking.contacts`, `booking.verification`, `booking.bookings`.
A whole script stands in docs/booking.md; errors are in `booking.errors`.
"""
