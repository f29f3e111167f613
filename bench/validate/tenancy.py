"""Another org's token reaches nothing of ours, by whatever path; each attempt is on record with that org."""

from dataclasses import dataclass
from typing import Any, Final

from bench.validate.checked import Checked
from bench.validate.deployment import Answer
from bench.validate.trial import Trial

NAME: Final = "cross-tenant"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of the other org's, at something of ours."""

    method: str
    path: str
    body: Any = None
    query: dict[str, str] | None = None


async def check(trial: Trial) -> Checked:
    ours, other = trial.ours, trial.other
    slots = await ours.api.done("GET", "/slots", service_id=ours.service_id, limit="20")
    taken, free = slots["items"][-1]["id"], slots["items"][-2]["id"]
    hold = await ours.api.done("POST", "/holds", {"slot_id": taken})
    attempts = _attempts(str(ours.org_id), ours.service_id, free, hold["id"])
    answers = [
        await other.api.request(attempt.method, attempt.path, attempt.body, attempt.query)
        for attempt in attempts
    ]
    strangers = [
        await ours.api.with_token(token).request("GET", f"/holds/{hold['id']}")
        for token in (None, "cvg_" + "x" * 43, _altered(ours.api.token or ""))
    ]
    recorded = await other.api.done("GET", "/audit", action="foreign_refused", limit="100")
    untouched = (await ours.api.done("GET", f"/holds/{hold['id']}"))["state"] == "held"
    return _judged(attempts, answers, strangers, len(recorded["items"]), untouched=untouched)


def _attempts(org_id: str, service_id: str, slot_id: str, hold_id: str) -> list[Attempt]:
    org = f"/orgs/{org_id}"
    return [
        Attempt("GET", "/slots", query={"service_id": service_id}),
        Attempt("POST", "/holds", {"slot_id": slot_id}),
        Attempt("GET", f"/holds/{hold_id}"),
        Attempt("DELETE", f"/holds/{hold_id}"),
        Attempt("POST", f"/holds/{hold_id}/otp/check", {"code": "123456"}),
        Attempt("GET", org),
        Attempt("PATCH", org, {"name": "Taken over"}),
        Attempt("GET", f"{org}/tokens"),
        Attempt("PUT", f"{org}/tokens/theirs", {"scopes": ["slots:read"]}),
        Attempt("GET", f"{org}/services/{service_id}/guide"),
    ]


def _altered(token: str) -> str:
    """The same but for its last character."""
    return token[:-1] + ("A" if token[-1:] != "A" else "B")


def _judged(
    attempts: list[Attempt], answers: list[Answer], strangers: list[Answer], recorded: int, *, untouched: bool
) -> Checked:
    through = [
        f"{attempt.method} {attempt.path.partition('/orgs/')[0] or '/orgs'}: {answer.status}"
        for attempt, answer in zip(attempts, answers, strict=True)
        if answer.status != 403
    ]
    admitted = sum(answer.status != 401 for answer in strangers)
    passed = not through and not admitted and recorded == len(attempts) and untouched
    told = (
        f"{len(attempts) - len(through)} of {len(attempts)} attempts refused, {recorded} on record, "
        f"{len(strangers) - admitted} of {len(strangers)} bad tokens turned away"
    )
    return Checked(
        NAME,
        passed,
        told + (f"; not refused: {', '.join(through)}" if through else ""),
        {
            "attempts": len(attempts),
            "refused": len(attempts) - len(through),
            "recorded": recorded,
            "bad_tokens": len(strangers),
            "bad_tokens_refused": len(strangers) - admitted,
            "untouched": untouched,
        },
    )
