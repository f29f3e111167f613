"""The alerting rules ask for metrics and labels that exist, and go by the bounds that the status goes by.

Prometheus' own checker is a program that no package brings; names, labels and bounds are what it could not
check either.
"""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from booking.ports import CheckOutcome, SendOutcome, SmsStatus
from gateway.latency import Status
from gateway.metrics import Metrics
from gateway.recording.writer import Outcome as RecordingOutcome
from gateway.routes.streamed import Outcome
from gateway.status import thresholds
from gateway.vapi.reports import LOST

FILE = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
TEXT = FILE.read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(TEXT)["groups"] for rule in group["rules"]]
EXPRESSIONS = {rule["alert"]: str(rule["expr"]) for rule in RULES}
ALL = "\n".join(EXPRESSIONS.values())

BOUNDS = {
    "CodesSeldomVerified": (thresholds.CODES_VERIFIED_LEAST, thresholds.FEWEST),
    "CodesNotDelivered": (thresholds.TEXTS_DELIVERED_LEAST, thresholds.FEWEST),
    "TextsNotDelivered": (thresholds.TEXTS_DELIVERED_LEAST, thresholds.FEWEST),
    "CodesDeliveredSlowly": (thresholds.CODE_DELIVERED_S, thresholds.FEWEST),
    "CodesHandedOverSlowly": (thresholds.HANDOVER_S,),
    "FollowUpsBegunLate": (thresholds.TRIGGER_S,),
    "FollowUpsHandedOverSlowly": (thresholds.HANDOVER_S,),
    "AnswersSlow": (thresholds.TTFB_MS / 1000,),
    "ReachedAcrossClinics": (thresholds.FOREIGN_PER_HOUR,),
    "JobsWaitLong": (thresholds.JOB_WAITS_S,),
    "AuditRecordsLinkedLate": (thresholds.AUDIT_LAG_S,),
    "StatusNotAsked": (thresholds.WATCH_OLD_S,),
}


def families() -> dict[str, Any]:
    """By the name of each series: what collects it, whose label names are known without a sample."""
    registry = Metrics().registry
    return dict(registry._names_to_collectors)


def test_a_rule_has_all_that_a_rule_needs_and_a_name_of_its_own() -> None:
    assert len(EXPRESSIONS) == len(RULES)
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


@pytest.mark.parametrize("alert", EXPRESSIONS)
def test_a_rules_brackets_are_closed(alert: str) -> None:
    for opened, closed in ("()", "{}", "[]"):
        assert EXPRESSIONS[alert].count(opened) == EXPRESSIONS[alert].count(closed)


def test_every_metric_of_the_rules_is_counted() -> None:
    known = families()
    named = re.findall(r"\bgateway_\w+", ALL)
    assert len(named) > 30
    assert [name for name in named if name not in known] == []


def test_every_label_of_the_rules_is_one_of_its_metric() -> None:
    known, asked = families(), re.findall(r"\b(gateway_\w+)\{([^}]*)\}", ALL)
    assert asked
    for metric, matchers in asked:
        labels = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matchers))
        assert labels <= set(known[metric]._labelnames), metric


def test_what_is_summed_by_is_a_label_of_the_metric() -> None:
    known = families()
    by = re.findall(r"sum by \((\w+)\) \((?:increase|rate)\((gateway_\w+)", ALL)
    assert {label for label, _ in by} > {"le"}
    for label, metric in by:
        assert label == "le" or label in known[metric]._labelnames, metric


def test_every_label_of_the_rules_may_occur() -> None:
    known = {
        *get_args(SendOutcome),
        *get_args(CheckOutcome),
        *get_args(SmsStatus),
        *get_args(Status),
        *get_args(Outcome),
        *get_args(RecordingOutcome),
        "failed",
        LOST,
    }
    values = re.findall(r'(?:outcome|status)(?:=~|!=|=)"([^"]+)"', ALL)
    assert values
    assert {each for value in values for each in value.split("|")} <= known


@pytest.mark.parametrize("alert", BOUNDS)
def test_a_rule_has_the_bound_of_the_status(alert: str) -> None:
    told = re.findall(r"(?:<|>=|>|<=) ([0-9.]+)\s*$", EXPRESSIONS[alert], re.MULTILINE)
    assert tuple(map(float, told)) == BOUNDS[alert]


def test_a_quantile_can_exceed_the_bound_that_the_rules_watch() -> None:
    """Prometheus tells no quantile above the last finite bucket: at that bound a rule would never fire."""
    metrics, greatest = Metrics(), dict[str, float]()
    metrics.text_delivery.labels("otp")  # a labelled one has its buckets with its first sample
    for family in metrics.registry.collect():
        bounds = [float(each.labels["le"]) for each in family.samples if "le" in each.labels]
        greatest[family.name] = max((bound for bound in bounds if bound < float("inf")), default=0.0)
    watched = re.findall(r"histogram_quantile\(.*?(gateway_\w+)_bucket.*?> ([0-9.]+)", ALL)
    assert watched
    assert [name for name, bound in watched if greatest[name] <= float(bound)] == []
