"""What the API's operations are handed."""

from gateway.api.operations import ApiContext
from gateway.audio_calls import AudioCalls
from gateway.routes.edge import Edge
from gateway.sealing import VaultSealer
from gateway.tenancy.forgetting import OrgMemory
from gateway.tenancy.secrets import OrgSecrets


def api_context(edge: Edge) -> ApiContext:
    """All of it refers to what is open; nothing is opened here."""
    desk = edge.desk
    return ApiContext(
        settings=edge.settings,
        pool=desk.pool,
        sealer=VaultSealer(desk.vault),
        keys=VaultSealer(desk.vault).keys,
        verification=desk.texts.verification,
        metrics=edge.metrics,
        now=desk.now,
        secrets=OrgSecrets(desk.pool, desk.vault),
        memory=OrgMemory(desk.numbers, desk.profiles, desk.credentials),
        recordings=None if desk.recorders is None else desk.recorders.store,
        audio_calls=AudioCalls(edge.calls, edge.admission, edge.endings, desk.vault, edge.settings),
    )
