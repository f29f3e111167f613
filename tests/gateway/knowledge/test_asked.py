"""What is searched for in what a caller said."""

import pytest

from gateway.knowledge.asked import search_words


@pytest.mark.parametrize(
    ("said", "searched"),
    [
        ("Yes, please.", ""),
        ("Um, okay, thank you so much!", ""),
        ("How much is it?", "price"),
        ("How much is lip filler?", "lip filler"),
        ("Do you know when you close on Saturdays?", "opening hours"),
        ("Where are you?", "address"),
        ("I\N{RIGHT SINGLE QUOTATION MARK}d like botox", "botox"),
    ],
)
def test_small_talk_goes_and_what_a_document_would_say_comes(said: str, searched: str) -> None:
    words = search_words(said)
    assert (words == "") == (searched == "")
    assert set(searched.split()) <= set(words.split())


def test_of_a_long_story_the_end_counts() -> None:
    assert search_words("long story " * 500 + "what is the price of a peel?").endswith("price cost fee")
    assert len(search_words("word " * 10_000)) <= 600
