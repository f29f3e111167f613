"""One call: its task, its conversation, its record.

task.py          finds out whose call it is while its media are on their way, then has it talk
assembly.py      what hears, thinks, speaks and books in a conversation, wired
conversation.py  the conversation, to its end and record
desk.py          what all calls of a process share, and the org that a call reached
media.py         a call's media
masking.py       the clinic's own words
"""

from gateway.call.conversation import to_its_end
from gateway.call.desk import Desk, Office
from gateway.call.masking import keyterms, profile_redactor
from gateway.call.media import CALLER_HUNG_UP, Media
from gateway.call.task import Call, FindOrg

__all__ = [
    "CALLER_HUNG_UP",
    "Call",
    "Desk",
    "FindOrg",
    "Media",
    "Office",
    "keyterms",
    "profile_redactor",
    "to_its_end",
]
