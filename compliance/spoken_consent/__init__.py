"""What callers say of being recorded, and whether they were asked. Pure: no clock, no I/O.

A refusal is taken from its words alone, wherever they stand in the turn. An agreement is taken more strictly,
from the beginning of a clause and never from a question: to keep words against somebody's will is worse than
to lose them. A bare "no" or "yes" counts only as the answer to the agent's question, and whatever is no clear
yes to it is none.

"Record" has other meanings at a clinic's desk: "can you record my new address", "medical records", "don't put
me down as a no-show". Only the call, the caller and what is said in it can be refused here.
"""

from compliance.spoken_consent.answers import answer_of, is_hesitation
from compliance.spoken_consent.phrases import last_agreement, last_refusal, may_be_about_recording
from compliance.spoken_consent.plain import plain_words, without_questions
from compliance.spoken_consent.question import Asked, asks_something, recording_question

__all__ = ["Asked", "asks_something", "is_hesitation", "recording_question", "recording_word"]


def recording_word(text: str, asked: Asked | None = None) -> bool | None:
    """False if the caller refuses to be recorded in this turn, True if they agree, None if they say neither.

    The last word in the turn counts. `asked`: the agent's last question was about it.
    """
    named = may_be_about_recording(text)
    if not named and asked is None:
        return None
    said = plain_words(text)
    if named:
        refused, agreed = last_refusal(said), last_agreement(without_questions(said))
        if refused != agreed:  # -1 each if there is neither
            return agreed > refused
    return None if asked is None else answer_of(said, asked)
