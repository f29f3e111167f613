"""The alerting rules ask for metrics and labels that exist."""

import re
from pathlib import Path
from typing import get_args

from booking.ports import CheckOutcome, SendOutcome, SmsStatus
from gateway.metrics import Metrics

RULES = (Path(__file__).parents[2] / "docs" / "alerts.yml").read_text(encoding="utf-8")


def test_every_metric_of_the_rules_is_counted() -> None:
    metrics = Metrics()
    counted = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    families = {family.name for family in metrics.registry.collect()}
    for name in re.findall(r"\bgateway_\w+", RULES):
        assert name in counted or re.sub(r"_(total|bucket)$", "", name) in families, name


def test_every_label_of_the_rules_may_occur() -> None:
    known = {*get_args(SendOutcome), *get_args(CheckOutcome), *get_args(SmsStatus)}
    values = re.findall(r'(?:outcome|status)(?:=~|!=|=)"([^"]+)"', RULES)
    assert values
    assert {each for value in values for each in value.split("|")} <= known


def test_a_quantile_can_exceed_the_bound_that_the_rules_watch() -> None:
    """Prometheus tells no quantile above the last finite bucket: at that bound a rule would never fire."""
    greatest: dict[str, float] = {}
    for family in Metrics().registry.collect():
        bounds = [float(each.labels["le"]) for each in family.samples if "le" in each.labels]
        greatest[family.name] = max((bound for bound in bounds if bound < float("inf")), default=0.0)
    watched = re.findall(r"histogram_quantile\(.*?(gateway_\w+)_bucket.*?> ([0-9.]+)", RULES)
    assert watched
    assert [name for name, bound in watched if greatest[name] <= float(bound)] == []
