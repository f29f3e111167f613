"""`python -m bench`: the demo, and everything that is measured (`bench.commands`)."""

import argparse
import sys
from collections.abc import Sequence

from bench.commands import COMMANDS, Command
from bench.harness.running import NOT_RUN, UNUSABLE
from bench.harness.stopping import INTERRUPTED, at_termination, interrupt
from bench.harness.target import TargetUnusable


def main(argv: Sequence[str] | None = None) -> int:
    """Run what `argv` says, the process's own arguments by default; the exit status.

    Raises `SystemExit` for arguments that are no good.
    """
    parser = all_commands()
    arguments = parser.parse_args(argv)
    chosen: Command = arguments.chosen
    try:
        with at_termination(interrupt):
            return chosen.run(arguments)
    except TargetUnusable as error:
        parser.error(str(error))
    except NOT_RUN as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def all_commands() -> argparse.ArgumentParser:
    """What it parses becomes a namespace whose `chosen` is the command."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    commands = parser.add_subparsers(required=True)
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.told)
        command.add(own)
        own.set_defaults(chosen=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
