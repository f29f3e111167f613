"""Phones, cards and other numbers; dates of birth."""
