"""What to search for in what a caller said: without small talk, and with the words that a document would use.

Full-text search knows that "prices" is "price"; it does not know that "how much" asks for one.
"""

import re
from typing import Final

MOST_CHARACTERS: Final = 500
"""Of what was said, its end: a long story comes to its question last."""
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_APOSTROPHE: Final = "\N{RIGHT SINGLE QUOTATION MARK}"
_SMALL_TALK: Final = frozenset(
    word
    for words in (
        "yes yeah yep no nope please thanks thank cheers hello hi hey bye goodbye ok okay sorry well",
        "i you me we my your a an the is are it this that to of and so just like want wanted need know tell",
        "um uh erm ask asking would could can get got much many question right sure fine lovely good great",
        "perfect actually really maybe think mean i'd i'm i've it's that's what's there's you're don't",
    )
    for word in words.split()
)
_ASKS_FOR: Final = (
    (re.compile(r"\b(how much|costs?|price[sd]?|charges?|fees?|expensive|pay)\b"), "price cost fee"),
    (
        re.compile(r"\b(what time|when .*\b(open|close|shut)|opening|hours|open|closed?)\b"),
        "opening hours open",
    ),
    (
        re.compile(r"\b(where|address|directions?|find you|get to you|located)\b"),
        "address located directions",
    ),
    (
        re.compile(r"\b(prepare|preparation|beforehand|before (my|the|a)|avoid)\b"),
        "prepare preparation avoid",
    ),
    (
        re.compile(r"\b(aftercare|afterwards|after (my|the|a)|recover\w*|heal\w*|downtime)\b"),
        "aftercare recovery",
    ),
    (re.compile(r"\b(hurts?|painful|pain)\b"), "pain discomfort"),
    (re.compile(r"\b(how long|last|take)\b"), "minutes hours last duration"),
)


def search_words(said: str) -> str:
    """Words to search for; "" if what was said asks for nothing that a document could tell."""
    said = said[-MOST_CHARACTERS:].lower().replace(_APOSTROPHE, "'")
    words = [word for word in _WORD.findall(said) if word not in _SMALL_TALK]
    asked = [extra for asks, extra in _ASKS_FOR if asks.search(said)]
    return " ".join([*words, *asked])
