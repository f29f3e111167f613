"""What the alerts on codes are computed from is in `/metrics` once codes were sent, checked and delivered."""

import re
from pathlib import Path

from bench.simulators import twilio_messages as numbers
from bench.simulators.twilio_api import TwilioApiSimulator
from tests.conftest import Clinic
from tests.gateway.api.booked import PHONE, held, verified
from tests.gateway.api.client import Client
from tests.gateway.running import PUBLIC_URL, Gateway

_ALL = (Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
RULES = _ALL.partition("name: clinic-voice-gateway-codes\n")[2].partition("\n  - name:")[0]


async def series(gateway: Gateway) -> dict[str, float]:
    """`name{labels}` to value, as Prometheus would scrape it."""
    text = (await gateway.http.get(gateway.url + "/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}


async def test_every_series_of_the_rules_is_scraped(
    client: Client, clinic: Clinic, gateway: Gateway, twilio: TwilioApiSimulator
) -> None:
    twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, gateway.url)
    await verified(client, clinic, twilio)
    assert await twilio.messages.report(twilio.messages.to(PHONE)[-1], "delivered") == 204
    refused = await client.post(
        f"/holds/{(await held(client, clinic))['id']}/otp", {"phone": numbers.OPTED_OUT}
    )
    assert refused.status_code == 422
    scraped = await series(gateway)
    named = set(re.findall(r"\bgateway_\w+", RULES))
    assert named <= {name.partition("{")[0] for name in scraped}
    sent, checked = 'gateway_codes_total{outcome="accepted"}', 'gateway_code_checks_total{outcome="verified"}'
    delivered = 'gateway_texts_settled_total{kind="otp",status="delivered"}'
    assert (scraped[sent], scraped[checked], scraped[delivered]) == (1, 1, 1)
    assert scraped['gateway_codes_total{outcome="opted_out"}'] == 1


async def test_the_handover_is_measured_and_its_bounds_tell_five_seconds(
    client: Client, clinic: Clinic, gateway: Gateway, twilio: TwilioApiSimulator
) -> None:
    await verified(client, clinic, twilio)
    scraped = await series(gateway)
    assert scraped["gateway_code_handover_seconds_count"] == 1
    assert scraped['gateway_code_handover_seconds_bucket{le="5.0"}'] == 1
    assert 0 < scraped["gateway_code_handover_seconds_sum"] < 5
