"""The parts of a gateway process, put together from its settings; `gateway.app` says what is opened when.

foundation.py  the stores, and the group in which all runs that is no call
background.py  what runs beside the calls
desk.py        what all calls share
edge.py        what the routes are handed
api.py         what the API's operations are handed
operators.py   the pages of those who run it
"""
