"""Compliance's errors.

ComplianceError
├── VaultError
│   ├── MasterKeyInvalid   the master key is not 32 bytes of base64
│   ├── BlobMalformed      these bytes were never sealed by this vault, or are cut short
│   ├── KeyUnknown         sealed under a master key that this process does not hold
│   ├── SealBroken         altered, or moved to another org, table, column or row
│   └── ValueErased        the value was erased, or the key that it was sealed under destroyed
├── ReadingRefused         this role may not read such a value, or not for this purpose
└── RetentionInvalid       a period is 1 to 36500 days

No message holds a key, a plain value or a sealed one.
"""


class ComplianceError(Exception):
    """Root of what compliance raises."""


class VaultError(ComplianceError):
    """A value cannot be sealed or opened."""


class MasterKeyInvalid(VaultError):
    """The master key is not 32 bytes of base64."""


class BlobMalformed(VaultError):
    """These bytes were never sealed by this vault, or are cut short."""


class KeyUnknown(VaultError):
    """Sealed under a master key that this process does not hold; `key_id` names it."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"sealed under master key {key_id}, which is not among the configured ones")
        self.key_id = key_id


class SealBroken(VaultError):
    """Altered, or moved to another org, table, column or row."""


class ValueErased(VaultError):
    """The value was erased, or the key that it was sealed under destroyed. Nothing brings it back."""


class ReadingRefused(ComplianceError):
    """This role may not read such a value, or not for this purpose."""


class RetentionInvalid(ComplianceError):
    """A period is 1 to 36500 days."""
