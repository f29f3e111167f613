"""What makes calls faster and nothing else."""

from dataclasses import dataclass

from gateway.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Speedups:
    """What makes calls faster and changes nothing else; each can be off, so that its worth can be measured.

    `prewarms`: providers are connected to at the carrier's webhook, before the media come. `side_by_side`: an
    org's look-ups run at once. `caches`: look-ups and stock phrases are remembered. `pools_tts`: calls share
    a key's socket, which stays open.
    """

    prewarms: bool = True
    side_by_side: bool = True
    caches: bool = True
    pools_tts: bool = True


def read_speedups(reader: Reader) -> Speedups:
    """Each is on unless it is switched off."""

    def is_on(name: str) -> bool:
        return reader.switch(name, default=True)

    return Speedups(
        prewarms=is_on("PREWARM"),
        side_by_side=is_on("SIDE_BY_SIDE_LOOKUPS"),
        caches=is_on("CACHES"),
        pools_tts=is_on("TTS_POOLING"),
    )
