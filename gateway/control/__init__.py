"""The carriers' REST interfaces: ending calls, putting them through, placing and finding them. One module
per carrier, never on the media path.
"""
