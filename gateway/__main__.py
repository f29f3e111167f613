"""`python -m gateway`: serve with the settings of the environment."""

import gc
import sys


def main() -> int:
    """See `gateway.serving.serve`.

    What start-up makes stays there for good, and looking for garbage among it takes a sixth of the time until
    a gateway serves: not before it does (`gateway.garbage.settle`).
    """
    gc.disable()
    from gateway.serving import serve

    return serve()


if __name__ == "__main__":
    sys.exit(main())
