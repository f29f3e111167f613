"""The recogniser of one call, opened before the call knows whose it is.

The process's session opens with the carrier's webhook. If the org then turns out to be heard otherwise (a key
of its own, or the turbo profile's model), that one is closed and the right one opens, while the phone still
rings.
"""

import asyncio

from gateway.prewarm import Clients, OpenedSession
from gateway.tenancy.credentials import OrgKeys
from pipeline.providers.deepgram import DeepgramConfig


class Hearing:
    """At most one session is kept at a time. They are held by tasks of `group`, which waits for their end."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._config: DeepgramConfig | None = None
        self._opened: OpenedSession | None = None

    def open(self, clients: Clients, keys: OrgKeys) -> OpenedSession:
        """The session under these keys; one that was opened under others is closed at once."""
        config = clients.hearing(keys)
        if self._opened is None or self._config != config:
            self.close()
            self._opened = OpenedSession(self._group, clients.stt(keys))
            self._config = config
        return self._opened

    def close(self) -> None:
        """The session too, now or as soon as it has opened."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
