"""Phrases by which people refuse and agree to be recorded, over plain words.

They are families, not sentences: `<NAME>` in one stands for a part of the table, which may hold others. The
comment above each group shows what it is for; `tests/compliance/test_spoken_consent.py` has many more, and
what is near and means something else.
"""

import re
from typing import Final

_STEMS: Final = ("record", "tape", "taping", "transcri")
_KEEPING: Final = ("keep", "sav", "stor", "note", "noting", "writ", "delet", "eras", "destroy", "wipe")
_WHAT_IS_SAID: Final = ("say", "said", "call", "conversation", "chat", "down", "talk")
_PART: Final = re.compile(r"<([A-Z_]+)>")
_PARTS: Final = {
    "DO": "(?:record|tape|transcribe)",
    "DONE": "(?:recorded|taped|transcribed)",
    "DOING": "(?:recording|taping|transcribing)",
    "A_RECORDING": "(?:(?:a |any |the )?(?:recordings?|transcripts?)(?: of (?:me|us|this|<CALL>))?)",
    "CALL": (
        "(?:(?:this|the|my|our|that|your) (?:(?:whole|entire|phone|telephone) )?"
        "(?:call|conversation|chat|talk|phone ?call)s?|this one|calls|conversations)"
    ),
    "SAID": (
        "(?:(?:what|anything|everything|whatever) (?:i|i'm|i've|we|we're)(?: just)? "
        "(?:say|saying|said|tell you|telling you|talk about))"
    ),
    "ALL": "(?:any of (?:this|that|it)|all (?:of )?(?:this|that))",
    # What follows shows that the words before it are all that is meant.
    "OVER": (
        r"(?= (?:please|thanks|thank|ok|okay|alright|all right|and|but|because|cause|if|i|i'm|i'd|i've"
        r"|today|now|then|at all|any ?more|either|cheers|right|just|you|unless|until|while|when|before"
        r"|first)\b| [.?]|$)"
    ),
    "OVER_OR_MORE": (
        r"(?:<OVER>|(?= (?:my|we|it's|that's|the|can|could|what|how|is|so|or|yes|no|yeah|with)\b))"
    ),
    "THING": (
        r"(?: (?:<CALL>|<SAID>|<ALL>|me|us|my voice)\b(?! as\b| under\b)"
        "| (?:this|that|it|anything|everything)<OVER_OR_MORE>|<OVER>)"
    ),
    # "recorded as a no-show", "recorded on my file" are the clinic's books, not the call.
    "NOT_IN_BOOKS": (
        r"(?! as\b| up\b| under\b| against\b| (?:on|in|to|onto|into) (?:my|his|her|our|their|the) "
        r"(?:\w+ )?(?:file|notes?|records?|chart|history|account|card)\b)"
    ),
    # Whoever recorded something has done so: "you recorded my number".
    "RECORDED": (
        "(?:(?<! you)(?<! they)(?<! she)(?<! he) <DONE><NOT_IN_BOOKS>"
        "|(?<! the)(?<! on) <DO><THING>| <DOING><THING>| <A_RECORDING><OVER>)"
    ),
    "BETWEEN": (
        "(?: (?:to|be|being|have|having|get|getting|gets|made|this|that|it|it's|me|us|you|you're|we|we're"
        "|they|they're|them|the|my|our|call|calls|phone|line|conversation|chat|voice|words|anything|any|all"
        "|of|i|i'm|say|saying|about|with|for|if|a|an|is|are|what|want|like|do|could|can|anyone|anybody|kind|sort"
        "|at|on|sure|idea|permission|consent)){0,9}?"
    ),
    "VERY": "(?: (?:really|very|actually|particularly|quite|at all|so|too|all that|that|entirely|just))*",
    "RATHER": "(?:rather|sooner|prefer|happier|better|comfortable|appreciate|grateful|glad)",
    "FINE": "(?:happy|fine|ok|okay|alright|all right|comfortable|cool|good|no problem|not a problem)",
    "MAY": (
        "(?:can|may|could|(?<='re )(?:welcome|free|allowed) to"
        "|(?:have )?(?:got )?(?:my )?(?:permission|consent) to)"
    ),
}
_REFUSALS: Final = (
    # "don't record this", "you can't record me", "I'd rather you didn't record"
    r"(?<!\bi )(?<!\bwe )(?<!\bwhy )\bdon't (?:please |ever |you dare |start |be )?(?:<DO>|<DOING>)<THING>"
    r"(?! do you)",
    r"\byou(?: can't| mustn't| shouldn't| may not|'re not (?:to|allowed to)) (?:<DO>|be <DOING>)<THING>",
    r"\b(?:nobody|no one) (?:is to|is allowed to|may|can|should|must) <DO><THING>",
    r"\b(?:don't think you (?:should|ought to)|(?:never|didn't) (?:say|said) (?:that )?you (?:could|can|may))"
    r" <DO><THING>",
    r"\b(?:not|never) (?:allowed |going )?(?:to )?<DO><THING>",
    r"\b<RATHER>(?: it)?(?: if)? (?:you|we|they)"
    r" (?:(?:didn't|don't|wouldn't|won't|not) <DO>|(?:weren't|not) <DOING>)<THING>",
    r"\bwish you (?:wouldn't|weren't) (?:<DO>|<DOING>)<THING>",
    r"\b(?:mind|prefer|appreciate|about|like|sure|promise|hope) (?:you |it if you're |you're "
    r"|that you're )?not <DOING><THING>",
    r"\bi (?:do |really |would )*mind<BETWEEN><RECORDED>",
    # "I don't want this recorded", "I'm not happy being recorded", "I never agreed to recording"
    r"\b(?:don't|wouldn't|won't)<VERY> (?:want|wanna|wish|like|need|allow|agree|consent|authori[sz]e|accept"
    r"|permit|let|give|have|feel (?:<FINE>|easy))<BETWEEN><RECORDED>",
    r"\b(?:never|didn't|haven't|hadn't)<VERY> (?:agreed?|consent|consented|given?|gave)<BETWEEN><RECORDED>",
    r"\bnot<VERY> (?:<FINE>|keen|willing|prepared|sure|consenting|agreeing|giving|want|having|letting)"
    r"<BETWEEN><RECORDED>",
    r"\bisn't<VERY> <FINE><BETWEEN><RECORDED>",
    # "I'd rather not be recorded", "can this not be recorded", "I'd feel better if this wasn't recorded"
    r"\b(?:<RATHER>|like|want|can|could|please|possible|ask|asked|should|sure)<BETWEEN>"
    r" (?:not|wasn't|weren't|isn't)(?: (?:to|be|being|get|have|having|this|it|me|the call|this call))*"
    r" (?:<DONE><NOT_IN_BOOKS>|on (?:a|the|any) (?:recordings?|tape)\b)",
    r"\b(?:none of this|nothing)(?: i say)? (?:gets|is|is to be|should be|should get|must be|can be)"
    r" <DONE>",
    r"\b(?:mustn't|shouldn't|can't|must not|should not|i won't|we won't) be <DONE><NOT_IN_BOOKS>",
    r"(?:^|(?<=[.] )|(?<=\bno )|(?<=\bplease ))not <DONE>(?: at all)?(?: please| thank you| thanks)",
    # "Is this recorded? I don't want it to be." "… I'd prefer if it wasn't."
    r"\b<DONE>\b.{0,40}\bdon't want (?:to be|it to be|that|it)(?= (?:[.?]|please)|$)",
    r"\b<DONE>\b.{0,40}\b<RATHER>(?: it)?(?: if)? it (?:wasn't|weren't)(?= (?:[.?]|please)|$)",
    # "I object to being recorded", "without recording", "I withdraw my consent to recording"
    r"(?<!\bno )(?<!n't )(?<!\bnot )(?<!\bnever )(?<!\bany )\b(?:object|objection|opposed|refuse|decline"
    r"|opt out|opting out|against|uncomfortable|unhappy|withdraw|withdrawing|revoke|refrain|take back"
    r"|without)(?: (?:to|of|from|with|about|my|the|you|it|this|for|consent|permission|agreement|be|being"
    r"|have|having|any|a|call))*<RECORDED>",
    # "stop recording", "turn the recorder off", "I'd like the recording stopped", "no recording please"
    r"(?<!n't )(?<!\bnever )(?<!\bnot )(?<!\bdid you )(?<!\bdo you )(?<!\bi )\b(?:stop|quit|cease|cancel"
    r"|pause|hold|end|disable|(?:turn|switch|shut) off)(?: (?:the|your|this|that|all|any))*"
    r" (?:<DOING><THING>|(?:recorder|transcript|tape)\b)",
    r"(?<!n't )\b(?:turn|switch|shut) (?:the|your|this|that) (?:recording|recorder|tape)(?: thing| machine)?"
    r" off\b",
    r"(?<!n't )\b(?:keep|leave) (?:the|your|that) (?:recording|recorder|tape)(?: thing| machine)? off\b",
    r"\bunrecorded\b",
    r"\b(?:like|want|get|have) (?:the|this|that|your) recording (?:stopped|deleted|paused|ended|off"
    r"|turned off)\b",
    r"(?<!'s )(?<!is )(?<!was )(?<!have )(?<!has )(?<!had )(?<!got )\bno (?:<DOING>|recordings)"
    r"(?: of <CALL>)?<OVER>",
    # "don't keep what I say", "I don't want a record of this call", "delete the recording", "off the record"
    r"\b(?:(?<!\bi )(?<!\bwe )don't|don't want|not to|never|can't)(?: you)?(?: to)?(?: be)?"
    r" (?:keep|keeping|make|making|save|saving|store|storing|note|noting|write|writing)(?: down)?"
    r" (?:<SAID>|<ALL>|<CALL>|<A_RECORDING><OVER>"
    r"|(?:a |any |the )?record of (?:<CALL>|<SAID>|(?:this|it)<OVER>))",
    r"(?<!\bi )\bdon't write (?:this|that|it|any of (?:this|that)) down\b",
    r"\b(?:don't|not)(?: want)?(?: you)?(?: to)?(?: keep| have)? (?:any|a) (?:written )?"
    r"(?:record|transcript)(?: kept| made| taken)? of (?:<CALL>|<SAID>|this<OVER>)",
    r"\bno record of (?:<CALL>|<SAID>|this<OVER>)",
    r"(?<!n't )\b(?:delete|erase|destroy|wipe|get rid of)(?: (?:the|this|that|my|any|your|all|of))*"
    r" (?:recordings?|transcripts?|<CALL>|<SAID>|(?:what|whatever|anything) you(?:'ve)?(?: just)? <DONE>)\b",
    r"\boff the record\b",
)
_AGREEMENTS: Final = (
    # "you can record this", "go ahead and record", "carry on recording", "turn the recording on again"
    r"(?:you|they|we)(?:'re|'ve)? <MAY>(?: (?:go ahead and|just|start|keep|carry on|continue|now|still"
    r"|go back to|resume))* (?:<DO>|<DOING>)(?: again)?<THING>",
    r"(?:go ahead and|feel free to|do go ahead and|by all means|please do) <DO><THING>",
    r"(?:start|resume|restart|continue|carry on|keep|keep on) (?:the |with the )?<DOING>(?: again)?<THING>",
    r"record (?:<CALL>|away\b|all you (?:like|want)\b)",
    r"go ahead with the recording\b",
    r"(?:you (?:can|may) )?(?:turn|switch) (?:the |that )?recording (?:back )?on\b",
    # "I'm happy to be recorded", "it's fine if you record this", "recording is fine"
    r"(?:i'm|that's|it's|it is|i'd be|i would be|that is)"
    r"(?: (?:really|quite|perfectly|totally|absolutely|completely|now))* <FINE><BETWEEN><RECORDED>",
    r"(?:fine|happy|no problem|ok|okay) (?:with|for|to|if)<BETWEEN><RECORDED>",
    r"(?:(?:the )?<DOING>(?: (?:this|it|me|the call))?|being <DONE>)(?:'s| is| would be)"
    r"(?: (?:absolutely|totally|perfectly))* <FINE>",
    # "I agree to being recorded", "I don't mind being recorded", "no objection to recording"
    r"i (?:do |fully |now )*(?:agree|consent)"
    r"(?: (?:to|with|the|being|be|you|it|this|my|call|having|that|can|may))*<RECORDED>",
    r"i (?:do |hereby |now )?give (?:you )?(?:my |the )?(?:permission|consent) to <DO><THING>",
    r"i (?:really )?don't (?:really |actually )?(?:mind|care if|object to)<BETWEEN><RECORDED>",
    r"i'm not (?:really )?(?:bothered|fussed|worried) (?:if|about)<BETWEEN><RECORDED>",
    r"(?:i have |i've |i've got |i don't have )?(?:no|any) (?:objections?|problems?|issues?)"
    r"(?: (?:to|with|about))?<BETWEEN><RECORDED>",
)
_CLAUSE_BEGINS: Final = (
    r"(?:^|[.] |\b(?:and|but|then|mind|okay|ok|yes|yeah|yep|fine|sure|no|right|well|actually|alright|anyway"
    r"|oh|now|course|problem|guess|thoughts?|about it|back|on|please) )"
)


def _compiled(phrases: tuple[str, ...], before: str = "") -> tuple[re.Pattern[str], ...]:
    def whole(phrase: str) -> str:
        while _PART.search(phrase):
            phrase = _PART.sub(lambda part: _PARTS[part[1]], phrase)
        return before + phrase

    return tuple(re.compile(whole(each)) for each in phrases)


_REFUSED: Final = _compiled(_REFUSALS)
_AGREED: Final = _compiled(_AGREEMENTS, _CLAUSE_BEGINS)


def may_be_about_recording(text: str) -> bool:
    """Whether a word of it could begin any of the phrases. Quick: of most turns there is none."""
    said = text.lower()
    return _holds(said, _STEMS) or (_holds(said, _KEEPING) and _holds(said, _WHAT_IS_SAID))


def _holds(said: str, stems: tuple[str, ...]) -> bool:
    return any(stem in said for stem in stems)


def last_refusal(said: str) -> int:
    """Where the last refusal among plain words ends, -1 if there is none."""
    return _last(_REFUSED, said)


def last_agreement(said: str) -> int:
    """Where the last agreement among plain words ends, -1 if there is none."""
    return _last(_AGREED, said)


def _last(phrases: tuple[re.Pattern[str], ...], said: str) -> int:
    return max((found.end() for phrase in phrases for found in phrase.finditer(said)), default=-1)
