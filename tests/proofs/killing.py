"""What the killed gateways and those who kill them agree on."""

from datetime import timedelta
from typing import Final

# Here a request that was sent is in the list of the local Twilio within milliseconds.
UNSURE: Final = timedelta(seconds=1)
