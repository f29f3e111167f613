"""An operation of the API as it is declared, what its handler is asked, what it answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
import msgspec

from booking.ports import Sealer
from booking.staff import Scope
from booking.types import Actor, Claim
from booking.verification import Verification
from compliance.keys import Keyring
from gateway.api.problems import INVALID, Kind, Refused
from gateway.audio_calls import AudioCalls
from gateway.metrics import Metrics
from gateway.recording.store import SoundStore
from gateway.settings import Settings
from gateway.tenancy.forgetting import OrgMemory
from gateway.tenancy.secrets import OrgSecrets

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
PREFIX: Final = "/api/v1"
PLATFORM_SCOPE: Final = "admin"
JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What all requests share; made by the application's lifespan."""

    settings: Settings
    pool: asyncpg.Pool
    sealer: Sealer
    keys: Keyring
    verification: Verification
    metrics: Metrics
    now: Callable[[], datetime]
    secrets: OrgSecrets
    memory: OrgMemory
    audio_calls: AudioCalls
    recordings: SoundStore | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """Who runs the whole deployment: of no org, and let near one by the paths that name it alone."""

    subject: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a good token speaks for. `subject` tells an org's clients apart; `token_id` is a staff token's.

    `is_platform`: not the org itself, but who runs the deployment.
    """

    org_id: UUID
    subject: str = field(repr=False)
    scopes: frozenset[str]
    token_id: UUID | None = None
    is_platform: bool = False

    @property
    def claim(self) -> Claim:
        return Claim(org_id=self.org_id)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in: its token is good and has the scope, its values fit the declaration.

    `body` and `query` are of the operation's own types, a file's `body` its bytes. `key`: on POST a
    digest (32 bytes) that is the same for each repetition of the request, under the same Idempotency-Key by
    the same subject.
    """

    api: ApiContext
    principal: Principal
    path: Mapping[str, str] = field(repr=False)
    query: Any = field(repr=False)
    body: Any = field(repr=False)
    key: bytes = field(default=b"", repr=False)

    @property
    def claim(self) -> Claim:
        return self.principal.claim

    @property
    def actor(self) -> Actor:
        """Who asks, as the audit log may name them: a staff token by id, a subject by a keyed digest."""
        if self.principal.token_id is not None:
            return Actor("token", self.principal.token_id)
        digest = self.api.sealer.digest(self.principal.org_id, "api_subject", self.principal.subject.encode())
        return Actor("operator" if self.principal.is_platform else "token", UUID(bytes=digest[:16]))

    def id(self, name: str) -> UUID:
        """The id at this place of the path."""
        try:
            return UUID(self.path[name])
        except ValueError:
            raise Refused(INVALID, pointer=name, detail="must be a UUID") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: one of the declared statuses, with the body declared for it.

    `page`: an HTML page instead, of an operation whose `media_type` is that; `file`: what is handed on
    piece by piece, of a GET whose `media_type` is that.
    """

    status: int
    body: msgspec.Struct | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str | None = None
    file: AsyncIterator[bytes] | None = None


Handler = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path, under `PREFIX`. A path's `{…_id}` are UUIDs, other parameters strings.

    `answers`: each status of success with its body. `problems`: the kinds that this one may answer besides
    those that all may (`document` lists them). `media_type`: of the body that success has.
    `file`: the media type of a request's body that is no JSON but handed on as bytes, at most `file_bytes`;
    `body` is None then.
    """

    name: str
    method: Method
    path: str
    scope: Scope
    summary: str
    handler: Handler
    answers: Mapping[int, type[msgspec.Struct] | None]
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    problems: tuple[Kind, ...] = ()
    media_type: str = JSON
    file: str | None = None
    file_bytes: int = 0

    @property
    def repeatable(self) -> bool:
        """Asked twice, does it mean the same? If not, the request needs an Idempotency-Key."""
        return self.method != "POST"
