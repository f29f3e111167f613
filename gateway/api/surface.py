"""All operations of the API."""

from gateway.api import bookings, codes, holds, slots

OPERATIONS = (*slots.OPERATIONS, *holds.OPERATIONS, *codes.OPERATIONS, *bookings.OPERATIONS)
