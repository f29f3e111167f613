"""From which figure on something is an alarm: each bound once.

The rules in `deploy/prometheus/alerts.yml` have the same numbers; a test compares them.
"""

from datetime import timedelta
from typing import Final

from gateway.latency import CRITICAL_MS

CODES_VERIFIED_LEAST: Final = 0.95
TEXTS_DELIVERED_LEAST: Final = 0.995
FEWEST: Final = 20
"""Of fewer than so many no share is taken for an alarm."""
HANDOVER_S: Final = 5.0
"""From a call's end, or the request for a code, to the provider's taking the text, at the 95th percentile."""
CODE_DELIVERED_S: Final = 20.0
"""From a code's being sent to its having arrived, at the 95th percentile: somebody waits on the line."""
TRIGGER_S: Final = 2.0
"""From a call's end to the beginning of its follow-up, at the 95th percentile."""
LATE_SHARE: Final = 0.05
FOLLOW_UP_OVERDUE: Final = timedelta(minutes=1)
TTFB_MS: Final = CRITICAL_MS
FOREIGN_PER_HOUR: Final = 20
"""All were refused; so many in an hour are no slip any more."""
JOB_WAITS_S: Final = 60.0
AUDIT_LAG_S: Final = 5.0
WATCH_OLD_S: Final = 600.0
"""Figures for Prometheus that are older than this are none."""

SWEEPS: Final = {
    "expired_holds": timedelta(minutes=5),
    "due_messages": timedelta(minutes=5),
    "due_follow_ups": timedelta(minutes=5),
    "due_calendars": timedelta(minutes=5),
    "due_vapi_calls": timedelta(minutes=5),
    "due_placed_calls": timedelta(minutes=5),
    "due_recordings": timedelta(minutes=5),
    "abandoned_calls": timedelta(minutes=5),
    "ended_trials": timedelta(minutes=10),
    "prune_jobs": timedelta(hours=2),
    "old_requests": timedelta(hours=2),
    "old_records": timedelta(hours=26),
    "days_to_come": timedelta(hours=26),
}
"""How long ago each may have run; one that this does not name may be any age."""
