"""Background work, and the calendars that it writes to."""

from dataclasses import dataclass, field

from gateway.settings.parsers import port
from gateway.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Jobs:
    """Background work. `here`: in this process. `url`: of role gw_worker; `direct_url`: past a pooler.

    `metrics_port`: of a process that does nothing else; None: it serves none.
    """

    here: bool
    url: str = field(repr=False)
    direct_url: str = field(repr=False)
    calendar_url: str
    calendar_token_url: str
    metrics_port: int | None = None


def _port(text: str) -> int | None:
    return port(text)


def read_jobs(reader: Reader) -> Jobs:
    """Whether jobs run here, and the database as their role."""
    here = reader.switch("WORKERS", default=True)
    url = reader.url("DATABASE_WORKER_URL", "", ("postgresql", "postgres"), secret=True)
    if here and not url:
        reader.faults.append("DATABASE_WORKER_URL is missing (WORKERS=0 leaves jobs to other processes)")
    return Jobs(
        here=here,
        url=url,
        direct_url=reader.url("DATABASE_DIRECT_URL", "", ("postgresql", "postgres"), secret=True) or url,
        calendar_url=reader.url("GOOGLE_CALENDAR_URL", "https://www.googleapis.com", ("https", "http")),
        calendar_token_url=reader.url(
            "GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token", ("https", "http")
        ),
        metrics_port=reader.parsed("WORKER_METRICS_PORT", "", _port, "be a port number", None),
    )
