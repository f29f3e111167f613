"""Follow-ups as this process does them: with the gateway's messages, keys and public address, and counted."""

from dataclasses import dataclass

from booking.follow_up import FollowUps, Outcome
from booking.follow_up_links import GuideLinks
from booking.messages import Messages
from gateway.metrics import Metrics
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class CountedFollowUps:
    """Counts how follow-ups fare. Satisfies `booking.follow_up.FollowUpWatch`."""

    metrics: Metrics

    def triggered(self, seconds: float) -> None:
        self.metrics.follow_up_trigger.observe(seconds)

    def handed_over(self, seconds: float) -> None:
        self.metrics.follow_up_handover.observe(seconds)

    def ended(self, outcome: Outcome, reason: str) -> None:
        self.metrics.follow_ups.labels(outcome, reason).inc()


def follow_ups(settings: Settings, messages: Messages, metrics: Metrics) -> FollowUps:
    """What does the job."""
    return FollowUps(messages, guide_links(settings), CountedFollowUps(metrics))


def guide_links(settings: Settings) -> GuideLinks:
    """The links of this deployment."""
    return GuideLinks(settings.master_keys, settings.public_url)
