"""All operations of the API."""

from gateway.api import holds, slots

OPERATIONS = (*slots.OPERATIONS, *holds.OPERATIONS)
