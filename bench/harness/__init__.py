"""What the latency commands of the bench are made of.

turns.py       the turns of a run: what is said and answered, and which delays the providers draw for it
click.py       a turn's number in the first 9 ms of its audio
ears.py        the recogniser's hearing, which reads that number and knows the words
providers.py   the three simulated providers, timed by the turns
speech.py      the caller's recorded voice, cut so that a turn ends with its last voiced sample
target.py      the gateway under test: our own as a child, or any by its address
caller.py      plays the turns of a call and times what comes back
sound.py       instants out of audio: pure
floor.py       the least that a turn's drawn delays allow: pure
figures.py     percentiles, bootstrap, objectives: pure
results.py     what a run came to, and its JSON
page.py plots.py screen.py   the same as HTML with SVG plots, and on the terminal
"""
