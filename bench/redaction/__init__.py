"""How well and how fast `compliance.redaction` masks, on a labelled corpus: `python -m bench redaction`."""
