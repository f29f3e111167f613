"""The audit log is what was written: its chains, and the tail that is not linked yet."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from compliance.chain import Verified
from gateway.audit import overdue
from gateway.status.judged import Judged

NAME: Final = "audit_log"


def judged(found: Mapping[UUID, Verified]) -> Judged:
    broken = [org_id for org_id, each in found.items() if not each.intact]
    late = [org_id for org_id, each in found.items() if overdue(each)]
    links = sum(each.links for each in found.values())
    unlinked = sum(each.unlinked for each in found.values())
    partly = sum(not each.complete for each in found.values())
    rest = f", {partly} chains looked at in part" if partly else ""
    waits = f", in {len(late)} orgs for over a minute" if late else ""
    return Judged(
        name=NAME,
        level="alarm" if broken or late else "ok",
        told=f"{len(broken) or 'none'} of {len(found)} chains broken, {links} links right{rest}; "
        f"{unlinked} records unlinked{waits}",
        figures={
            "chains": len(found),
            "broken": len(broken),
            "links": links,
            "unlinked": unlinked,
            "overdue": len(late),
            "in_part": partly,
        },
        orgs=[*broken, *(org_id for org_id in late if org_id not in broken)],
    )
