"""An org that is answered critically late: its next call runs on the turbo profile, and that is shown."""

import asyncio

from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, claims, hs256

LINES = ["Tell me about the clinic.", "Thank you."]
ANSWER = "We are open every day."
TURBO = {
    "TURBO_LLM_MODEL": "gpt-4.1-mini",
    "TURBO_STT_MODEL": "nova-3",
    "TURBO_SPECULATION": "off",
    "LATENCY_MIN_TURNS": "1",
    "LLM_FIRST_CLAUSE_S": "5",
    "LLM_HEDGE_AFTER_S": "off",
    "API_JWT_ISSUER": ISSUER,
    "API_JWT_AUDIENCE": AUDIENCE,
    "API_JWT_SECRET": SECRET,
}


async def one_turn(made: Rig) -> None:
    async with made.call() as live:
        await live.agent_answers(300)
        await ask(live)


async def shown(made: Rig) -> dict[str, object]:
    """The clinic's line, once its turn has been judged."""
    async with asyncio.timeout(5):
        while True:
            answer = await made.gateway.http.get(
                f"{made.gateway.url}/ops/latency",
                params={"org": str(made.clinic.claim.org_id)},
                headers={"Authorization": f"Bearer {hs256(claims(None, scope='admin'))}"},
            )
            [line] = answer.json()["orgs"]
            if line["profile"] == "turbo":
                return dict(line)
            await asyncio.sleep(0.05)


async def test_the_next_call_after_a_late_one_runs_on_the_turbo_models(calling: Calling) -> None:
    async with calling(LINES, [ANSWER] * 4, **TURBO) as made:
        made.chat.pace.first_token_s = 1.0
        await one_turn(made)
        assert (await shown(made))["org"] == str(made.clinic.claim.org_id)
        made.chat.pace.first_token_s = 0.0
        await one_turn(made)
        models = [request.body["model"] for request in made.chat.requests]
        paths = [session.params.get("model") for session in made.deepgram.sessions]
        assert models == ["scripted-receptionist", "gpt-4.1-mini"]
        assert paths[-1] == ["nova-3"]
        turned = made.gateway.counted("gateway_latency_switches_total", profile="turbo")
    assert turned == 1
