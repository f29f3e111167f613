"""The running gateway, its identity provider and clients of the API's own tests."""

from tests.gateway.api.conftest import anybody, client, gateway, other_client, provider, twilio
from tests.gateway.api.test_tenancy import theirs

__all__ = ["anybody", "client", "gateway", "other_client", "provider", "theirs", "twilio"]
