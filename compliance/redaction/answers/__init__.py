"""Answers to a question for one value, as a recogniser hears them."""
