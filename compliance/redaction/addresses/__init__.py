"""Postal addresses, postcodes and other codes of letters and figures."""
