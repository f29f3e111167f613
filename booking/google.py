"""Requests to Google with its own clients: google-auth fetches tokens, google-api-python-client speaks to the
API.

Both block, so each request runs in a thread of a small pool of its own: the loop's default one also resolves
names for live calls. A request that is cancelled or too late has its socket shut, so that its thread ends.

google-auth's `AuthorizedHttp` is left out: for each service account it starts a thread that asks another host
about regional boundaries (google-auth 2.62). So the token is fetched here and put into the request's header.
"""

import asyncio
import http.client
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import google_auth_httplib2
import httplib2
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import Error, HttpError

from booking.errors import CalendarRefused, CalendarUnavailable

API_URL: Final = "https://www.googleapis.com"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
TIMEOUT_S: Final = 10.0
_THREADS: Final = 4

T = TypeVar("T")
Request = Any  # googleapiclient.http.HttpRequest, which has no types


@dataclass(frozen=True, slots=True)
class Answer:
    """What Google said. `reason` is its own word for a refusal, empty if it took the request or said none."""

    status: int
    reason: str = ""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def taken(self) -> bool:
        return self.status < 300


class GoogleApi:
    """One API of Google's for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, name: str, version: str, *, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._name, self._version = name, version
        self._endpoint = f"{url}/{name}/{version}/"
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"google-{self._name}")
        self.service = await self._run(self._built)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    async def refresh(self, credentials: Credentials) -> str:
        """A new access token. Raises `CalendarRefused`, `CalendarUnavailable`."""

        def work(transport: httplib2.Http) -> str:
            credentials.refresh(google_auth_httplib2.Request(transport))  # type: ignore[no-untyped-call]
            return str(credentials.token)

        return await self._run(work)

    async def ask(self, request: Request, token: str) -> Answer:
        """The answer to the request, a refusal included. Raises `CalendarUnavailable` if there is none."""
        request.headers["authorization"] = f"Bearer {token}"

        def work(transport: httplib2.Http) -> Answer:
            try:
                body = request.execute(http=transport, num_retries=0)
            except HttpError as refusal:
                return Answer(refusal.status_code, _reason(refusal))
            if body and not isinstance(body, dict):  # the library hands on what is no JSON
                raise CalendarUnavailable("Google's answer does not read")
            return Answer(200, body=body or {})

        return await self._run(work)

    async def _run(self, work: Callable[[httplib2.Http], T]) -> T:
        transport = httplib2.Http(timeout=self._timeout_s)

        def run() -> T:
            with closing(transport), _translated():
                return work(transport)

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._threads, run)
        except TimeoutError:
            raise CalendarUnavailable(f"Google does not answer within {self._timeout_s:g} s") from None
        finally:
            _shut(transport)

    def _built(self, transport: httplib2.Http) -> Any:
        """From the description of the API that the package carries; nothing is fetched."""
        return build(
            self._name,
            self._version,
            http=transport,
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": self._endpoint},
        )


def _shut(transport: httplib2.Http) -> None:
    """Ends what the transport still waits for; nothing if its thread has closed it already."""
    for connection in list(transport.connections.values()):
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _reason(refusal: HttpError) -> str:
    details = refusal.error_details
    first = details[0] if isinstance(details, list) and details else None
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


@contextmanager
def _translated() -> Iterator[None]:
    """The libraries' errors become ours, once. `from None`: they quote addresses and answers."""
    try:
        yield
    except RefreshError as refusal:
        if refusal.retryable:
            raise CalendarUnavailable("Google hands out no token now") from None
        raise CalendarRefused("credentials", http.client.UNAUTHORIZED) from None
    except (GoogleAuthError, Error, httplib2.HttpLib2Error, http.client.HTTPException, OSError) as error:
        raise CalendarUnavailable(f"Google was not reached: {type(error).__name__}") from None
    except ValueError:
        raise CalendarUnavailable("Google's answer does not read") from None
