"""What the routes are handed: the desk, who answers for each carrier, and what guards the door."""

import time

from gateway.admission import Admission
from gateway.call import Desk
from gateway.calls import Calls
from gateway.composition.foundation import Foundation
from gateway.endings import Endings
from gateway.readiness import Readiness
from gateway.refusals import Refusals
from gateway.routes.edge import Carriers, Edge
from gateway.tenancy.accounts import Accounts, Keeper
from gateway.tenancy.credentials import VapiAccount
from gateway.vapi.answering import Assistants
from gateway.vapi.calls import VapiCalls
from gateway.vapi.settling import settling_of


def make_edge(base: Foundation, desk: Desk, calls: Calls, carriers: Carriers, vapi_calls: VapiCalls) -> Edge:
    """All of it refers to what is open; nothing is opened here."""
    admission = Admission(
        base.settings.master_key,
        base.store,
        life_s=base.settings.waits.token_s,
        now_s=time.time,
        older=base.settings.master_keys[1:],
    )
    return Edge(
        settings=base.settings,
        carriers=carriers,
        desk=desk,
        calls=calls,
        admission=admission,
        endings=Endings(base.store, base.clock),
        readiness=Readiness(base.pool, base.store),
        refusals=Refusals(base.pool, base.clock, within_s=base.settings.waits.webhook_s / 2),
        vapi=_at_vapi(base, desk),
        vapi_calls=vapi_calls,
        vapi_settling=settling_of(base.settings, vapi_calls.sharing, base.metrics, vapi_calls.closed),
        vapi_assistants=Assistants(base.pool, base.settings.public_url),
    )


def _at_vapi(base: Foundation, desk: Desk) -> Accounts[VapiAccount]:
    vapi = base.settings.vapi
    ours = VapiAccount(vapi.api_key, vapi.auth, vapi.llm_key, vapi.region) if vapi.auth is not None else None
    keeper = Keeper(ours, lambda keys: keys.vapi)
    return Accounts(keeper, desk.credentials, desk.vault, lookup_s=base.settings.waits.webhook_s / 4)
