"""Which service a caller means."""

from collections.abc import Sequence

from booking.types import Service


def match_service(services: Sequence[Service], asked: str) -> Service | None:
    """The service that `asked` names: by name or synonym, else by the longest name found in it."""
    wanted = " ".join(asked.casefold().split())
    named = [(name.casefold(), service) for service in services for name in (service.name, *service.synonyms)]
    for name, service in named:
        if name == wanted:
            return service
    within = [
        (len(name), service) for name, service in named if name in wanted or (wanted and wanted in name)
    ]
    return max(within, key=lambda each: each[0])[1] if within else None
