"""Booking without the gateway: the script of docs/booking.md, as it stands there, in a process of its own."""

import asyncio
import base64
import os
import re
import sys
from pathlib import Path

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.contacts import find_contact, read_contact
from booking.sealing import MasterKeySealer
from booking.types import OPERATOR
from tests.booking.patients import Desk
from tests.booking.texting import ACCOUNT_SID, RECEIVER, TOKEN
from tests.conftest import Stack

ROOT = Path(__file__).parents[2]
MASTER_KEY = bytes(range(32))
# Runs the script as `python SCRIPT …` would, then tells which of our packages it has loaded.
RUN = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
ours = {"gateway", "pipeline", "booking", "compliance", "bench"}
print(sorted(ours & {name.partition(".")[0] for name in sys.modules}))
"""


async def test_the_script_of_the_page_books(stack: Stack, desk: Desk, tmp_path: Path) -> None:
    script = tmp_path / "book.py"
    script.write_text(script_of_the_page(), encoding="utf-8")
    async with TwilioApiSimulator(account_sid=ACCOUNT_SID, auth_token=TOKEN) as twilio:
        twilio.messages.senders.add(desk.clinic.number)
        said = await said_by(script, stack, twilio, desk.clinic.number)
    assert re.search(r"booked: .+ with Dr \w+, \d\d \w+ \d\d:\d\d UTC", said)
    assert said.endswith("['booking']\n")

    assert await desk.states() == ["booked"]
    sealer = MasterKeySealer([MASTER_KEY])
    contact_id = await find_contact(desk.pool, desk.clinic.claim, sealer, phone=RECEIVER)
    assert contact_id
    contact = await read_contact(desk.pool, desk.clinic.claim, sealer, contact_id=contact_id, actor=OPERATOR)
    assert contact
    assert contact.name == "Ann Example"


def script_of_the_page() -> str:
    page = (ROOT / "docs" / "booking.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return str(script)


async def said_by(script: Path, stack: Stack, twilio: TwilioApiSimulator, clinic_number: str) -> str:
    """The script's output, when it was given the code that the simulated Twilio took."""
    texted = asyncio.Event()
    twilio.messages.taken = lambda message: texted.set()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, str(script), clinic_number, RECEIVER, "Ann Example"),
        env=environment(stack, twilio),
        cwd=script.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        ending = asyncio.create_task(process.wait())
        waiting = asyncio.create_task(texted.wait())
        await asyncio.wait({ending, waiting}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        said, complaints = await asyncio.wait_for(process.communicate(code_in(twilio)), 30)
    finally:
        if process.returncode is None:
            process.kill()
        await ending
    assert process.returncode == 0, complaints.decode()
    return said.decode()


def code_in(twilio: TwilioApiSimulator) -> bytes:
    """The six digits that were texted, as somebody types them; nothing if there was no text."""
    codes = [re.findall(r"\b\d{6}\b", message.body) for message in twilio.messages.to(RECEIVER)]
    return "".join(f"{code}\n" for found in codes for code in found).encode()


def environment(stack: Stack, twilio: TwilioApiSimulator) -> dict[str, str]:
    """All that the process is told."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": stack.postgres.app,
        "MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_URL": twilio.url,
    }
