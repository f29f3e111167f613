"""Words that are passed over whole: names that the org keeps, and idioms."""

from compliance.redaction.cues import STRONG
from compliance.redaction.phrases import may_begin, phrase
from compliance.redaction.view import Match, View
from compliance.redaction.vocabulary import IDIOMS


def kept(view: View, at: int) -> Match | None:
    """A name of the org's own; one word of it alone may be the answer to the question for a name."""
    end = phrase(view.tail, at, view.lexis.kept)
    if end is None or (view.expects.name_open == STRONG and end == at + 1):
        return None
    return Match(end, None)


def idiom(view: View, at: int) -> Match | None:
    """ "a pain in the neck", "New Year's Day"; the latter may be of a date of birth."""
    if not may_begin(view.tail, at, IDIOMS) or view.expects.awaits("DOB"):
        return None
    end = phrase(view.tail, at, IDIOMS)
    return None if end is None else Match(end, None)
