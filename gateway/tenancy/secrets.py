"""An org's secrets for its providers: checked and sealed on the way in, opened again only to be tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from booking.calendar import PROVIDER as GOOGLE_CALENDAR
from booking.calendar import GoogleCalendars
from booking.errors import CalendarNotConfigured
from booking.orgs import (
    kept_credentials,
    load_credentials,
    remove_credentials,
    reseal_credentials,
    store_credentials,
)
from booking.types import Actor, Claim
from compliance.errors import VaultError
from compliance.vault import Vault
from gateway.errors import SecretInvalid, SecretUnknown
from gateway.tenancy.credentials import (
    PROVIDERS,
    credentials_cell,
    parse_secret,
)

KEPT: Final = (*PROVIDERS, GOOGLE_CALENDAR)
"""Providers that an org may have a secret for. A call needs all but the last, which the jobs use."""
MAX_CHARACTERS: Final = 8_192


def require_secret(provider: str, secret: str) -> None:
    """Raises `SecretInvalid`; the secret is never repeated."""
    try:
        if len(secret) > MAX_CHARACTERS:
            raise ValueError(f"a secret is {MAX_CHARACTERS} characters at most")
        if provider == GOOGLE_CALENDAR:
            GoogleCalendars().calendar(secret.encode())
        else:
            parse_secret(provider, secret)
    except CalendarNotConfigured:
        raise SecretInvalid(
            "a key file is the JSON of a service account's key, as Google hands it out"
        ) from None
    except UnicodeEncodeError:
        raise SecretInvalid("a secret is text") from None
    except ValueError as fault:
        raise SecretInvalid(str(fault)) from None


@dataclass(frozen=True, slots=True)
class OrgSecrets:
    """All orgs' secrets. Who changes one tells it afterwards: `changes.tell_changed`."""

    pool: asyncpg.Pool
    vault: Vault

    async def keep(self, claim: Claim, provider: str, secret: str, *, actor: Actor) -> bool:
        """Seal and keep a secret; whether one was there, which is gone from now on.

        Raises `SecretInvalid`, `OrgUnknown`.
        """
        require_secret(provider, secret)
        sealed = self.vault.for_org(claim.org_id).seal(secret.encode(), credentials_cell(provider))
        return await store_credentials(self.pool, claim, provider, sealed, actor=actor)

    async def remove(self, claim: Claim, provider: str, *, actor: Actor) -> bool:
        """False if there was none."""
        return await remove_credentials(self.pool, claim, provider, actor=actor)

    async def kept(self, claim: Claim) -> Mapping[str, datetime]:
        """For which providers there is one, and since when."""
        return await kept_credentials(self.pool, claim)

    async def opened(self, claim: Claim, provider: str) -> str:
        """Raises `SecretUnknown`: there is none, or it does not open."""
        sealed = (await load_credentials(self.pool, claim)).get(provider)
        if sealed is None:
            raise SecretUnknown(f"there is no {provider} secret")
        return self._open(claim, provider, sealed).decode()

    async def reseal(self, claim: Claim, *, actor: Actor) -> list[str]:
        """Put what an older master key sealed under the newest; whose. Raises `SecretUnknown`."""
        vault, resealed = self.vault.for_org(claim.org_id), []
        for provider, sealed in sorted((await load_credentials(self.pool, claim)).items()):
            if vault.seals_newest(sealed):
                continue
            anew = vault.seal(self._open(claim, provider, sealed), credentials_cell(provider))
            if await reseal_credentials(self.pool, claim, provider, before=sealed, sealed=anew, actor=actor):
                resealed.append(provider)
        return resealed

    def _open(self, claim: Claim, provider: str, sealed: bytes) -> bytes:
        try:
            return self.vault.for_org(claim.org_id).open(sealed, credentials_cell(provider))
        except VaultError as error:
            raise SecretUnknown(f"the {provider} secret does not open: {type(error).__name__}") from None
