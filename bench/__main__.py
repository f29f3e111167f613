"""`python -m bench`: the demo and one more call to it."""

import argparse
import sys
from pathlib import Path

from bench.demo.command import run_call, run_demo


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="start everything, place a recorded call, go on serving")
    demo.add_argument(
        "--call", type=Path, metavar="FILE", help="play this recording (default: the bundled one)"
    )
    demo.add_argument(
        "--once", action="store_true", help="end after the call; 0 only if it did what it was for"
    )
    call = commands.add_parser("call", help="place one more call to a demo that runs")
    call.add_argument("recording", type=Path, nargs="?", metavar="FILE")
    chosen = parser.parse_args()
    if chosen.command == "demo":
        return run_demo(chosen.call, once=chosen.once)
    return run_call(chosen.recording)


if __name__ == "__main__":
    sys.exit(main())
