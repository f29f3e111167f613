"""Words as their phrases are looked for: however they were transcribed, one way to write each."""

import re
from typing import Final

_SHORT: Final = (
    (re.compile(r"[\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}`]"), "'"),
    (re.compile(r"\b(?:um+|uh+|er+m?|ah+|hm+)\b(?! ?huh)"), " "),
    (re.compile(r"\b(do|does|did|would|could|should|is|are|was|were|must) not\b"), r"\1n't"),
    (re.compile(r"\b(do|did|would|is|was|are|were|wo|ca)nt\b"), r"\1n't"),
    (re.compile(r"\b(?:can not|cannot|can't)\b"), "can't"),
    (re.compile(r"\bwill not\b"), "won't"),
    (re.compile(r"\b(i|you|we|they) (?:would|had) (?=rather|prefer|sooner|like)"), r"\1'd "),
    (re.compile(r"\bi am\b"), "i'm"),
    (re.compile(r"\b(you|we|they) are\b"), r"\1're"),
    (re.compile(r"\b(you|we|they) aren't\b"), r"\1're not"),
    (re.compile(r"[.!]+|\N{HORIZONTAL ELLIPSIS}"), " . "),
    (re.compile(r"\?"), " ? "),
    (re.compile(r"[^\w'.?]+"), " "),
)
_SENTENCE: Final = re.compile(r"(?<=[.?])")


def plain_words(text: str) -> str:
    """In small letters, contracted, without fillers. Ends of sentences stand alone; there are no commas:
    whether one is transcribed is chance.
    """
    said = text.lower()
    for pattern, plain in _SHORT:
        said = pattern.sub(plain, said)
    return said.strip()


def sentences(said: str) -> list[str]:
    """Of plain words, each with its mark."""
    return [each.strip() for each in _SENTENCE.split(said) if each.strip(" .")]


def without_questions(said: str) -> str:
    """Plain words with blanks for the sentences that ask something: what stays keeps its place."""
    return "".join(" " * len(each) if each.endswith("?") else each for each in _SENTENCE.split(said))
