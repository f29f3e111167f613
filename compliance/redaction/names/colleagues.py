"""First names of the staff, told by what is said around them: "Becky on reception", "Sarah, our physio"."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail

_DESKS: Final = frozenset({"reception", "switchboard", "triage"})
_DEPARTMENTS: Final = frozenset(
    ["accounts", "billing", "reception", "admin", "bookings", "scheduling", "pharmacy", "radiology", "hr"]
)
_OWN: Final = frozenset({"our", "the", "your"})
_FRONT: Final = frozenset({"front", "main"})
_CALLING: Final = frozenset({"i'm", "is", "it's", "name's", "am"})
_ROLES: Final = frozenset(
    ["receptionist", "manager", "secretary", "coordinator", "midwife", "physio", "hygienist", "dietitian"]
) | frozenset(["podiatrist", "osteopath", "therapist", "counsellor", "optometrist", "audiologist", "nurse"])
_STAFF: Final = word_list("staff")
_BEFORE_SISTERS: Final = frozenset({"see", "with", "by", "ask"})
_SISTERS_DO: Final = frozenset({"will", "runs", "does", "has", "is", "isn't", "can"})
_KINDS_OF_ROLES: Final = frozenset(
    ["practice", "office", "lead", "senior", "clinic", "dental", "head", "treatment", "duty", "new", "other"]
)


def is_colleague(tail: Tail, at: int, end: int) -> bool:
    """The name from `at` to `end` is of one of the staff."""
    word, follows = tail.words[end], tail.words[end + 1]
    if word == "on" and (follows in _DESKS or _is_desk(tail, end + 1)):
        return True
    if word == "at" and _is_desk(tail, end + 1):
        return True
    if word in ("in", "from") and follows in _DEPARTMENTS:
        return tail.words[at - 1] not in _CALLING
    if _is_seen(tail, at) or _is_on_leave(tail, end):
        return True
    if word in ("last", "this") and tail.words[end + 2] == ",":
        end += 2  # "I had Lucy last time, the hygienist"
        word = ","
    return _is_role(tail, end + (word == ",")) or _is_called(tail, at) or _is_sister(tail, at, end)


def _is_seen(tail: Tail, at: int) -> bool:
    """ "a slot with Sarah", "booked you in with Chloe", "you'll be seeing Becky": who treats."""
    before, earlier = tail.words[at - 1], tail.words[at - 2]
    if before == "with":
        return earlier in _BOOKED or (earlier == "in" and tail.words[at - 3] in _BOOKED_IN)
    return before == "seeing" and earlier in ("be", "you're")


def _is_on_leave(tail: Tail, end: int) -> bool:
    """ "Karen's on maternity leave", "Emma's diary is full"."""
    if not tail.words[end - 1].endswith("'s"):
        return False
    if tail.words[end] in ("diary", "clinic", "list"):
        return True
    leave = end + 1 + (tail.words[end + 1] in _KINDS_OF_LEAVE)
    return tail.words[end] == "on" and tail.words[leave] == "leave"


_BOOKED: Final = frozenset({"slot", "appointment", "session", "consultation"})
_BOOKED_IN: Final = frozenset({"you", "you're", "booked", "fit", "squeeze"})
_KINDS_OF_LEAVE: Final = frozenset({"maternity", "paternity", "annual", "sick", "parental"})


def _is_called(tail: Tail, at: int) -> bool:
    """ "the physio's called Tom", "the midwife's name is Fiona"."""
    role = {"called": at - 2, "is": at - 3}.get(tail.words[at - 1])
    if role is None or (tail.words[at - 1] == "is" and tail.words[at - 2] != "name"):
        return False
    if tail.words[role] in ("was", "is"):  # "the hygienist was called Amira"
        return tail.words[role - 2] in _OWN and tail.words[role - 1] in _STAFF
    owned = tail.words[role].endswith("'s") and tail.words[role - 1] in _OWN
    return owned and bare(tail.words[role]) in _STAFF


def _is_sister(tail: Tail, at: int, end: int) -> bool:
    """ "see Sister Margaret", "sister margaret runs the clinic": a nurse, nobody's sister and no nun."""
    if tail.words[at - 1] != "sister":
        return False
    begins = tail.words[at - 2] in ("", ":")
    return tail.words[at - 2] in _BEFORE_SISTERS or (begins and tail.words[end] in _SISTERS_DO)


def _is_desk(tail: Tail, at: int) -> bool:
    """ "the desk", "the front desk"."""
    here = at + 1 + (tail.words[at + 1] in _FRONT)
    return tail.words[at] == "the" and tail.words[here] == "desk"


def _is_role(tail: Tail, at: int) -> bool:
    """ "our physio", "the practice manager"; "the nurse said" goes on with a sentence of its own."""
    if tail.words[at] not in _OWN:
        return False
    role = at + 1 + (tail.words[at + 1] in _KINDS_OF_ROLES)
    named = tail.words[role] in _ROLES or bool(tail.marks[role] & kinds.DOCTOR)
    return named and (tail.words[at] == "our" or tail.words[at - 1] == ",")
