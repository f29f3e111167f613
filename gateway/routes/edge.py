"""What the routes share, and how a request finds it."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from gateway.admission import Admission
from gateway.call import Desk
from gateway.calls import Calls
from gateway.control import TwilioControl
from gateway.endings import Endings
from gateway.metrics import Metrics
from gateway.readiness import Readiness
from gateway.refusals import Refusals
from gateway.settings import Settings
from gateway.tenancy.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Edge:
    """One application's open resources, made by its lifespan."""

    settings: Settings
    accounts: Accounts
    desk: Desk
    calls: Calls
    admission: Admission
    endings: Endings
    control: TwilioControl
    readiness: Readiness
    refusals: Refusals

    @property
    def metrics(self) -> Metrics:
        return self.desk.metrics


def edge_of(connection: HTTPConnection) -> Edge:
    edge: Edge = connection.app.state.edge
    return edge
