"""How Google's APIs say no. Source: Google docs, "Calendar API: handle API errors" (read 2026-11)."""

from aiohttp import web


class ApiRefused(Exception):
    """The request is answered with an error: HTTP status and Google's own reason."""

    def __init__(self, status: int, reason: str, message: str, *, domain: str = "global") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.domain = domain

    def response(self) -> web.Response:
        fault = {"domain": self.domain, "reason": self.reason, "message": str(self)}
        body = {"error": {"errors": [fault], "code": self.status, "message": str(self)}}
        return web.json_response(body, status=self.status)
