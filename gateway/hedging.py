"""The models that calls think with: hedged, if the settings say so; what second requests cost is counted."""

from typing import Final
from uuid import UUID

from gateway.metrics import Metrics
from gateway.prewarm import Clients
from gateway.settings import Hedging
from gateway.tenancy.credentials import OrgKeys
from pipeline.hedge import HedgeBudget, Hedged, HedgedModel, HedgeLimits
from pipeline.ports import LanguageModel

_ORGS: Final = 4_096


class Hedges:
    """One process's. An org's calls share a budget of second requests, kept for the process's life."""

    def __init__(self, hedging: Hedging, clients: Clients, metrics: Metrics) -> None:
        self._hedging = hedging
        self._clients = clients
        self._metrics = metrics
        self._budgets: dict[UUID, HedgeBudget] = {}

    async def model(self, org_id: UUID, keys: OrgKeys) -> LanguageModel:
        """For one call of this org."""
        first, fallback = await self._clients.llm(keys), await self._clients.fallback(keys)
        hedging = self._hedging
        if hedging.after_s is None and fallback is None:
            return first
        limits = HedgeLimits(hedging.after_s, hedging.requests_per_call, hedging.tokens_per_call)
        return HedgedModel(first, fallback, limits, self._budget(org_id), self._count)

    def _budget(self, org_id: UUID) -> HedgeBudget:
        if org_id not in self._budgets:
            if len(self._budgets) >= _ORGS:
                del self._budgets[next(iter(self._budgets))]
            self._budgets[org_id] = HedgeBudget(self._hedging.org_share_percent / 100)
        return self._budgets[org_id]

    def _count(self, hedged: Hedged) -> None:
        self._metrics.second_requests.labels(hedged.reason, hedged.won).inc()
        self._metrics.second_request_tokens.inc(hedged.extra_tokens)
