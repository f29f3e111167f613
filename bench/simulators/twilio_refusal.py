"""How Twilio's REST API says no. Source: Twilio docs, "Twilio's response: exceptions" (read 2026-11)."""

from aiohttp import web


class ApiRefused(Exception):
    """The request is answered with an error: HTTP status and Twilio's own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> web.Response:
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status)
