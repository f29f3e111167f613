"""A vendor's own client, which knows its vendor's address alone, sent to a local server without a patch."""

from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter


class _Elsewhere(HTTPAdapter):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._server = urlsplit(url)

    def send(self, request: PreparedRequest, *how: object, **more: object) -> Response:
        asked = urlsplit(str(request.url))
        request.url = asked._replace(scheme=self._server.scheme, netloc=self._server.netloc).geturl()
        return super().send(request, *how, **more)


def redirect(session: Session, url: str) -> None:
    """Whatever the session asks over https goes to `url`."""
    session.mount("https://", _Elsewhere(url))
