"""`python -m bench.simulators [deepgram] [cartesia] [llm]`: the offline providers, in one process.

Speaks the vendors' protocols with real engines behind them: Moonshine and Silero hear, hibari speaks in a
process of its own, a scripted receptionist answers. Once all serve, one JSON object is printed on stdout, in
one line: each provider's address, and which engine speaks. It ends with SIGINT or SIGTERM.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator, Pace
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.offline.hearing import OfflineEars
from bench.simulators.offline.models import ModelUnavailable
from bench.simulators.offline.voice import OfflineVoice
from bench.simulators.receptionist import Receptionist
from bench.simulators.sound import VoiceFailed

PROVIDERS = ("deepgram", "cartesia", "llm")
# About what a small hosted model does; --instant turns it off.
FIRST_TOKEN_S = 0.12
BETWEEN_TOKENS_S = 0.012


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.simulators", description="The offline providers.")
    parser.add_argument(
        "providers", nargs="*", metavar="provider", help=f"of {', '.join(PROVIDERS)}; none: all"
    )
    parser.add_argument("--host", default="127.0.0.1")
    for provider in PROVIDERS:
        parser.add_argument(f"--{provider}-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--key", default="offline", help="the API key that is accepted")
    parser.add_argument("--model", action="append", help="further names the receptionist answers to")
    parser.add_argument(
        "--instant", action="store_true", help="the receptionist answers without thinking time"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.providers) - set(PROVIDERS):
        parser.error(f"no such provider: {', '.join(sorted(unknown))}")
    options.providers = options.providers or list(PROVIDERS)
    return options


async def start(options: argparse.Namespace, stack: AsyncExitStack) -> dict[str, str]:
    """Start what was asked for; returns the ready line's content."""
    ready: dict[str, str] = {}
    keys = frozenset({options.key})
    if "deepgram" in options.providers:
        ears = stack.enter_context(await asyncio.to_thread(OfflineEars))
        deepgram = DeepgramSimulator(
            ears.hearing, keys=keys, host=options.host, port=options.deepgram_port, record=False
        )
        ready["deepgram"] = (await stack.enter_async_context(deepgram)).url
    if "cartesia" in options.providers:
        voice = await stack.enter_async_context(OfflineVoice())
        cartesia = CartesiaSimulator(
            voice, keys=keys, host=options.host, port=options.cartesia_port, record=False
        )
        ready["cartesia"] = (await stack.enter_async_context(cartesia)).url
        ready["voice"] = voice.engine
        if voice.reason:
            print(f"the fall-back voice speaks: {voice.reason}", file=sys.stderr)
    if "llm" in options.providers:
        pace = Pace() if options.instant else Pace(FIRST_TOKEN_S, BETWEEN_TOKENS_S)
        chat = ChatSimulator(
            Receptionist(),
            keys=keys,
            further_models=options.model or (),
            pace=pace,
            host=options.host,
            port=options.llm_port,
            record=False,
        )
        ready["llm"] = (await stack.enter_async_context(chat)).url
    return ready


async def serve(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        print(json.dumps(await start(options, stack)), flush=True)
        await ended.wait()


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        asyncio.run(serve(options))
    except (ModelUnavailable, VoiceFailed, OSError) as error:
        print(f"the offline providers cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
