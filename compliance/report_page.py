"""The report as one HTML page: no script, no font, no picture, nothing from elsewhere; fit to be printed."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Final

from compliance.protection import TableProtection
from compliance.report import ENTRIES_SHOWN, AuditEntry, ErasureEntry, Report

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1c2430;
  margin: 2.5rem auto; max-width: 62rem; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .quiet { color: #5a6675; } code { font-size: .86em; overflow-wrap: anywhere; }
ul.status { list-style: none; display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; margin: 1.5rem 0; }
ul.status li { border: 1px solid #cfd6df; border-left: .4rem solid #2e7d4f; border-radius: .3rem;
  padding: .5rem .9rem; min-width: 11rem; }
ul.status li.bad { border-left-color: #b3261e; } ul.status b { display: block; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid #e3e8ee; vertical-align: top; } th { color: #5a6675; font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #b3261e; } .columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3rem; }
@media (max-width: 44rem) { .columns { grid-template-columns: 1fr; } }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 11px; } h2 { break-after: avoid; }
  tr, ul.status li { break-inside: avoid; } thead { display: table-header-group; } }
@page { size: A4; margin: 16mm; }
"""
_ONLY_THE_NEWEST: Final = (
    f'<p class="quiet">The newest {ENTRIES_SHOWN:,} of the period. The audit log has all.</p>'
)


def render(report: Report) -> str:
    """A whole document. Every value is escaped, though none should need it."""
    title = f"Compliance report, {_day(report.period.since)} to {_day(report.period.until)}"
    body = "".join(
        [
            f"<h1>{escape(title)}</h1>",
            f'<p class="quiet">Org <code>{report.org_id}</code> · made {_instant(report.made_at)}</p>',
            _status(report),
            _handled(report),
            _people(report),
            _failures(report),
            _retention(report),
            _chain(report),
            _tables(report.protection.tables),
        ]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _status(report: Report) -> str:
    chain, protection = report.chain, report.protection
    foreign = report.actions.get("foreign_refused", 0)
    facts = [
        ("Audit log", _chain_state(report), chain.intact),
        ("Row level security", "on every table" if protection.protected else "BROKEN", protection.protected),
        ("Values masked in speech", str(sum(report.masked.values())), True),
        ("Readings of sealed values", str(_readings(report)), True),
        ("Attempts across clinics", str(foreign), foreign == 0),
        ("People erased", str(report.actions.get("contact_erased", 0)), True),
    ]
    items = (f'<li class="{_mark(good)}">{name}<b>{escape(told)}</b></li>' for name, told, good in facts)
    return f'<ul class="status">{"".join(items)}</ul>'


def _readings(report: Report) -> int:
    return sum(count for action, count in report.actions.items() if action.startswith("read_for_"))


def _handled(report: Report) -> str:
    return _columns(
        _counts("Masked in what was said, by type", report.masked, "Nothing was masked."),
        _counts("Kept sealed, by type", report.kept, "Nothing was kept."),
        _counts("Calls, by how they ended", report.calls, "There were no calls."),
        _counts("Turns, by outcome", report.turns, "There were no turns."),
    )


def _people(report: Report) -> str:
    return "".join(
        [
            _entries("Who read what", report.readings, "No sealed value was read back."),
            _entries("Refused: foreign, beyond a role, forged", report.refusals, "Nothing was refused."),
            _entries("Exports", report.exports, "Nobody's data were exported."),
            _erasures(report.erasures),
            _entries("Consent", report.consents, "Nobody's word was noted."),
        ]
    )


def _failures(report: Report) -> str:
    return _columns(
        _counts("Text messages, by kind and status", report.texts, "No text was sent."),
        _counts("Codes, by state", report.codes, "No code was made."),
    )


def _retention(report: Report) -> str:
    last = report.retention.last_run_at
    told = "Never run." if last is None else f"Last run {_instant(last)}."
    return (
        _columns(
            _counts("Kept for, in days", report.retention.days, ""),
            _counts("Cleared by retention in the period", report.retention.cleared, "Nothing was cleared."),
        )
        + f'<p class="quiet">{told}</p>'
    )


def _chain_state(report: Report) -> str:
    chain = report.chain
    if not chain.intact:
        return f"broken: {chain.fault} at link {chain.fault_position or 'none'}"
    return "intact" if chain.complete else f"intact up to link {chain.links:,}, the rest not looked at"


def _chain(report: Report) -> str:
    chain = report.chain
    facts = [
        ("State", _chain_state(report)),
        ("Links that are right", str(chain.links)),
        ("Head", chain.head),
        ("Not linked yet", str(chain.unlinked)),
    ]
    if chain.fault_record_id is not None:
        facts.append(("Record", str(chain.fault_record_id)))
    rows = (f"<tr><th>{name}</th><td><code>{escape(told)}</code></td></tr>" for name, told in facts)
    return f"<h2>Audit log</h2><table>{''.join(rows)}</table>"


def _tables(tables: Iterable[TableProtection]) -> str:
    names = ("enabled", "forced", "of_an_org", "own_rows", "nobody_else")
    head = "".join(f"<th>{each.replace('_', ' ')}</th>" for each in names)
    rows = (
        f'<tr class="{_mark(each.protected)}"><td><code>{escape(each.name)}</code></td>'
        + "".join(f"<td>{'yes' if getattr(each, name) else 'NO'}</td>" for name in names)
        + "</tr>"
        for each in tables
    )
    return (
        "<h2>Row level security, table by table</h2>"
        f"<table><thead><tr><th>Table</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _columns(*parts: str) -> str:
    return f'<div class="columns">{"".join(f"<section>{part}</section>" for part in parts)}</div>'


def _counts(title: str, counts: Mapping[str, int], nothing: str) -> str:
    if not counts:
        return f'<h2>{escape(title)}</h2><p class="quiet">{escape(nothing)}</p>'
    rows = (
        f'<tr><td>{escape(name.replace("_", " "))}</td><td class="number">{count:,}</td></tr>'
        for name, count in counts.items()
    )
    return f"<h2>{escape(title)}</h2><table>{''.join(rows)}</table>"


def _entries(title: str, entries: list[AuditEntry], nothing: str) -> str:
    if not entries:
        return f'<h2>{escape(title)}</h2><p class="quiet">{escape(nothing)}</p>'
    rows = (
        f"<tr><td>{_instant(each.at)}</td>"
        f"<td>{escape(each.actor_kind)} <code>{each.actor_id or ''}</code></td>"
        f"<td>{escape(each.action.replace('_', ' '))}</td>"
        f"<td>{escape(each.subject_kind)} <code>{each.subject_id or ''}</code></td></tr>"
        for each in entries
    )
    head = "<thead><tr><th>When</th><th>Who</th><th>What</th><th>Of</th></tr></thead>"
    told = f"<h2>{escape(title)}</h2><table>{head}<tbody>{''.join(rows)}</tbody></table>"
    return told + (_ONLY_THE_NEWEST if len(entries) == ENTRIES_SHOWN else "")


def _erasures(erasures: list[ErasureEntry]) -> str:
    if not erasures:
        return '<h2>Erasures</h2><p class="quiet">Nobody was erased.</p>'
    rows = (
        f"<tr><td>{_instant(each.erased_at)}</td><td><code>{each.id}</code></td>"
        f"<td><code>{each.contact_id or 'a number'}</code></td><td>{escape(_told(each.counts))}</td></tr>"
        for each in erasures
    )
    head = "<thead><tr><th>When</th><th>Proof</th><th>Contact</th><th>Cleared</th></tr></thead>"
    return f"<h2>Erasures</h2><table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)


def _mark(good: bool) -> str:
    return "good" if good else "bad"


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
