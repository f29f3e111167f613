"""Keeping a model's `<think>` text out of what is spoken. Pure.

Some servers leave the reasoning of open models inside `content` (Ollama, llama.cpp, LM Studio; public
trackers, read 2026-11). Tags arrive in any cut.
"""

from typing import Final

_OPENING: Final = "<think>"
_CLOSING: Final = "</think>"


class ThoughtFilter:
    """Text in, speakable text out; at most a begun tag is held back.

    >>> thoughts = ThoughtFilter()
    >>> thoughts.feed("<thi"), thoughts.feed("nk>hm</think>Good "), thoughts.feed("day <3"), thoughts.flush()
    ('', 'Good ', 'day <3', '')
    """

    def __init__(self) -> None:
        self._held = ""
        self._is_thinking = False

    def feed(self, text: str) -> str:
        self._held += text
        spoken = []
        while True:
            tag = _CLOSING if self._is_thinking else _OPENING
            before, found, after = self._held.partition(tag)
            if not found:
                break
            if not self._is_thinking:
                spoken.append(before)
            self._held, self._is_thinking = after, not self._is_thinking
        return "".join([*spoken, self._release(tag)])

    def flush(self) -> str:
        """What was held back and turned out to be no tag."""
        held, self._held = self._held, ""
        return "" if self._is_thinking else held

    def _release(self, tag: str) -> str:
        kept = _begun(self._held, tag)
        cut = len(self._held) - kept
        free, self._held = self._held[:cut], self._held[cut:]
        return "" if self._is_thinking else free


def _begun(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)
