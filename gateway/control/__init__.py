"""The carriers' REST interfaces: ending a call. One module per carrier, never on the media path."""
