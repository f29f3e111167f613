"""Audio in, audio out: the turn pipeline. Knows no telephony, web framework or database."""
