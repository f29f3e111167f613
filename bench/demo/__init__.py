"""`make run`: everything real that fits on one machine, a recorded caller, and what came of the call.

command.py      the two commands: the whole demo, and one more call to a demo that runs
plan.py         what the environment leaves to us: which servers, which providers, which settings
supervisor.py   the one process that owns them all: start order, health, clean stop, leftovers
child.py        a child process with a log, a readiness and a pid file
running.py      a demo that runs, as one must know it to call it
clinic.py       the demo clinic
placed_call.py  one call from dialling to verdict
asked.py        what a recorded caller asked for; never leaves this process
booked.py       what Postgres says was held, read as gw_app
feed.py         the gateway's live feed of public facts
console.py      the call as it happens, for terminals and for pipes
waterfall.py    where a turn's time went
"""
