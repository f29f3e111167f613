"""What may be published of what was said: personal and medical facts stand as their type."""

from compliance.redaction.call import CallRedactor
from compliance.redaction.entities import EntityType, Span, placeholder
from compliance.redaction.stream import Redactor, find, redact

__all__ = ["CallRedactor", "EntityType", "Redactor", "Span", "find", "placeholder", "redact"]
