"""What may be published of what was said: personal and medical facts stand as their type.

From the words up: `text` reads them, `talk` knows what the next value will be, `medical`, `names`,
`addresses`, `numbers` and `emails` find values by their rules, `answers` reads what a question for one value
got. `plans` says which rule looks at which word; `turn` and `stream` run them over what comes in.
"""

from compliance.redaction.call import CallRedactor
from compliance.redaction.stream import Redactor, find, redact
from compliance.redaction.text.entities import EntityType, Span, placeholder

__all__ = ["CallRedactor", "EntityType", "Redactor", "Span", "find", "placeholder", "redact"]
