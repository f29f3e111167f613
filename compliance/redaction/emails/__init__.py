"""E-mail addresses, spoken or written."""
