"""Every word that a rule knows, with all that it can be, in one dictionary: one look-up tells what to do."""

from collections.abc import Iterable, Iterator
from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, bases, lines_of, phrase_index, stem, word_list

UNITS: Final = {
    word: str(value + 1)
    for value, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
}
ZEROS: Final = frozenset({"zero", "oh", "o", "nought", "naught", "nil"})
TEENS: Final = {
    word: str(value + 10)
    for value, word in enumerate(
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS: Final = {
    word: value + 2
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    )
} | {"fourty": 4}
SCALES: Final = {"hundred": ("00", "h"), "thousand": ("000", "k"), "million": ("000000", "m")}
REPEATS: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
PHONETIC: Final = {
    word: word[0]
    for word in [
        "alpha",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "foxtrot",
        "golf",
        "hotel",
        "india",
        "juliet",
        "juliett",
        "kilo",
        "lima",
        "mike",
        "november",
        "oscar",
        "papa",
        "quebec",
        "romeo",
        "sierra",
        "tango",
        "uniform",
        "victor",
        "whiskey",
        "whisky",
        "yankee",
        "zulu",
    ]
} | {"alfa": "a", "xray": "x"}
HOMOPHONES: Final = {
    "free": "3", "sick's": "6",
    "won": "1", "to": "2", "too": "2", "tu": "2", "tree": "3", "for": "4", "fore": "4", "fower": "4",
    "fife": "5",
    "sicks": "6", "sex": "6", "sevin": "7", "ate": "8", "nein": "9", "niner": "9", "owe": "0", "ow": "0",
    "ho": "0",
    "ay": "a", "eh": "a", "bee": "b", "be": "b", "sea": "c", "see": "c", "cee": "c", "dee": "d", "de": "d",
    "eff": "f", "ef": "f", "gee": "g", "jee": "g", "aitch": "h", "haitch": "h", "eye": "i", "aye": "i",
    "jay": "j",
    "kay": "k", "ell": "l", "el": "l", "em": "m", "en": "n", "pea": "p", "pee": "p", "queue": "q", "cue": "q",
    "kew": "q", "ar": "r", "are": "r", "ess": "s", "es": "s", "tea": "t", "tee": "t", "ewe": "u", "you": "u",
    "vee": "v", "ex": "x", "why": "y", "wye": "y", "zed": "z", "zee": "z", "doubleyou": "w", "fiver": "5",
}  # fmt: skip
MONTHS: Final = word_list("months")
ORDINALS: Final = word_list("ordinals")
PAUSE_WORDS: Final = frozenset(
    ["um", "uh", "er", "erm", "mm", "umm", "uhm", "hmm", "ah", "and", "then", "dash", "hyphen", "space", "so"]
)
PAUSE_MARKS: Final = frozenset("-\u2013\u2014.()/,:;\u2026")
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")

MEDICAL: Final = word_list("medical") | word_list("lay_medical") | word_list("specialities")
_NOT_MEDICAL: Final = word_list("not_medical")
EPONYMS: Final = word_list("eponyms")
_EPONYM_HEADS: Final = word_list("eponym_heads")
MEDICAL_LEADS: Final = word_list("medical_leads")
"""How a term is made more exact: "cystic"."""
MEDICAL_CAPITALS: Final = word_list("medical_capitals")
MASS_TERMS: Final = {
    word.strip(): frozenset(before.split())
    for word, _, before in (line.partition(" = ") for line in lines_of("mass_terms"))
}
"""Words, and those behind which alone they are medical: "off with stress", "just sickness"."""
OWNED_TERMS: Final = word_list("owned_terms") | MASS_TERMS.keys()
"""Medical where they are somebody's: "my coil"."""


def american(word: str) -> str:
    """The American spelling of a British medical word: "anaemia", "oestrogen", "tumour"."""
    word = word.replace("ae", "e").replace("oe", "e").replace("our", "or")
    return (
        word.replace("isation", "ization")
        .replace("yse", "yze")
        .replace("litre", "liter")
        .replace("fibre", "fiber")
    )


_BRITISH: Final = (
    ("edema", "oedema"), ("anem", "anaem"), ("hem", "haem"), ("emia", "aemia"), ("rrhea", "rrhoea"),
    ("estr", "oestr"), ("esoph", "oesoph"), ("pedi", "paedi"), ("gynec", "gynaec"), ("fet", "foet"),
    ("celiac", "coeliac"), ("cec", "caec"), ("tumor", "tumour"), ("apnea", "apnoea"), ("ameb", "amoeb"),
    ("hesia", "haesia"),
)  # fmt: skip


def british(term: str) -> str:
    """The British spelling of an American medical word: "lymphedema", "anemia"."""
    for here, there in _BRITISH:
        if here in term and there not in term:
            term = term.replace(here, there)
    return term


def both_spellings(terms: Iterable[str]) -> set[str]:
    terms = set(terms)
    return terms | {american(term) for term in terms}


def _english() -> frozenset[str]:
    """Ordinary words. Big lists are read where they are needed: none is kept beside `KINDS` and `TERMS`."""
    words = word_list("english") | word_list("common") | word_list("words_like_surnames")
    return words - word_list("names_no_words")


def _participles(terms: frozenset[str]) -> set[str]:
    """Ordinary words that are forms of a term: "bruised"."""
    return {
        word
        for word in _english() - _NOT_MEDICAL
        if word.endswith(("ed", "ing")) and terms.intersection(bases(word))
    }


def _terms() -> set[str]:
    distilled = (word_list("diseases") | word_list("drugs")) - _NOT_MEDICAL
    return (
        both_spellings(MEDICAL)
        | both_spellings(word_list("clinical"))
        | distilled
        | {british(term) for term in distilled}
        | _participles(MEDICAL)
        | {f"{eponym} {head}" for eponym in EPONYMS for head in _EPONYM_HEADS}
    )


TERMS: Final = phrase_index(_terms())
"""All built-in medical terms by their first stem."""
FEASTS: Final = tuple(sorted({tuple(day.split()) for day in word_list("feasts")}, key=len, reverse=True))
"""Days of the year with a name, in words."""
IDIOMS: Final = phrase_index(word_list("idioms") | word_list("figures_of_speech") | word_list("feasts"))

TOWNS: Final = word_list("towns") | word_list("places") | word_list("more_places") | word_list("more_towns")
"""Towns, counties, states and countries, in lower case."""


def _no_names() -> frozenset[str]:
    lists = ("stop_words", "not_names", "brands", "relatives", "staff")
    return frozenset[str]().union(*map(word_list, lists))


def _listed() -> Iterator[tuple[Iterable[str], int]]:
    """Words, and of what kind they are."""
    no_names, everyday = _no_names(), word_list("common") - word_list("sure_names")
    first_names = word_list("first_names") | word_list("more_first_names") | word_list("sure_names")
    yield UNITS, kinds.NUMERAL
    yield ZEROS, kinds.NUMERAL
    yield TEENS, kinds.NUMERAL
    yield TENS, kinds.NUMERAL
    yield SCALES, kinds.NUMERAL
    yield REPEATS, kinds.REPEAT
    yield PHONETIC, kinds.PHONETIC
    yield HOMOPHONES, kinds.HOMOPHONE
    yield LETTERS, kinds.LETTER
    yield MONTHS, kinds.MONTH
    yield ORDINALS, kinds.ORDINAL
    yield PAUSE_WORDS, kinds.PAUSE
    yield first_names - no_names - TOWNS - everyday, kinds.FIRST
    yield first_names & (TOWNS | everyday), kinds.MAYBE
    yield (town for town in TOWNS if " " not in town), kinds.PLACE
    yield word_list("ambiguous_names") - word_list("sure_names") - no_names, kinds.MAYBE
    yield (word_list("last_names") | word_list("more_last_names")) - no_names, kinds.LAST
    yield _english(), kinds.COMMON
    yield word_list("stop_words"), kinds.STOP | kinds.COMMON
    yield ("mr", "mrs", "miss", "ms", "mister", "missus", "master", "mx"), kinds.TITLE
    yield word_list("staff"), kinds.DOCTOR | kinds.COMMON
    yield word_list("relatives"), kinds.RELATIVE | kinds.COMMON
    yield word_list("streets"), kinds.STREET
    yield word_list("dwellings"), kinds.DWELLING
    yield ("at", "@"), kinds.SIGN
    yield ("dot", "underscore"), kinds.JOIN
    yield word_list("name_lead_ins"), kinds.LEAD
    yield word_list("modifiers") | word_list("hurting_states") | MEDICAL_LEADS, kinds.MODIFIER
    yield word_list("harming_verbs") | MEDICAL_CAPITALS | OWNED_TERMS | {"scan", "scans"}, kinds.HARM
    yield ("the",), kinds.ARTICLE


_OF_TERM: Final = kinds.TERM | kinds.IDIOM | kinds.ALONE | kinds.BODY | kinds.COMPLAINT


_AREAS: Final = frozenset({"me", "so"})
"""Areas of postcodes that are words as well: "ME16"."""


def _gather() -> dict[str, int]:
    gathered: dict[str, int] = {}
    for words, kind in _listed():
        for word in words:
            gathered[word] = gathered.get(word, 0) | kind
    for town in TOWNS:
        first = town.split()[0]
        gathered[first] = gathered.get(first, 0) | kinds.TOWN
    for index, kind in (
        (TERMS, kinds.TERM),
        (IDIOMS, kinds.IDIOM),
        ([word for word, begun in TERMS.items() if begun.alone], kinds.ALONE),
        (word_list("body_parts"), kinds.BODY),
        (word_list("complaints"), kinds.COMPLAINT),
    ):
        for word in index:
            gathered[word] = gathered.get(word, 0) | kind
    for word, kind in list(gathered.items()):
        if word[-1:] == "s" and (of_stem := gathered.get(stem(word), 0) & _OF_TERM):
            gathered[word] = kind | of_stem
    for name, kind in (("seldom_names", kinds.SELDOM), ("rarer_english", kinds.RARER)):
        fresh = {word for word in word_list(name) if word not in gathered and stem(word) not in gathered}
        gathered |= dict.fromkeys(fresh, kind | kinds.UNKNOWN)
    same: dict[int, int] = {}  # one object for all words of the same kinds: 8 MB less
    for word, kind in gathered.items():
        pair = kinds.PAIR if word in _AREAS or (len(word) == 2 and not kind & kinds.STOP) else 0
        whole = kind | kinds.DIGITS if word.isdecimal() else kind | kinds.WORD | pair
        gathered[word] = same.setdefault(whole, whole)
    gathered["@"] = kinds.SIGN
    gathered |= dict.fromkeys(PAUSE_MARKS, kinds.PAUSE) | dict.fromkeys("+£$€", kinds.MARK)
    gathered["("] = kinds.PAUSE | kinds.MARK
    gathered["not"] |= kinds.MARK
    gathered["plus"] = gathered.get("plus", kinds.WORD) | kinds.MARK
    return gathered


class _Kinds(dict[str, int]):
    """Kinds by word; those of a word that is in no list are worked out each time and not kept."""

    def __missing__(self, word: str) -> int:
        return _unlisted(word)


KINDS: Final = _Kinds(_gather())

_OF_STEM: Final = (
    kinds.IDIOM
    | kinds.TERM
    | kinds.ALONE
    | kinds.BODY
    | kinds.COMPLAINT
    | kinds.COMMON
    | kinds.RELATIVE
    | kinds.FIRST
    | kinds.LAST
)
_OF_BARE: Final = (
    _OF_STEM | kinds.HARM | kinds.FRAMED | kinds.MAYBE | kinds.MONTH | kinds.STREET | kinds.TOWN | kinds.PLACE
)


def mark_cues(words: Iterable[str]) -> None:
    """These words may end a phrase that says what comes next."""
    _mark(words, kinds.CUE)


def mark_ailing(words: Iterable[str]) -> None:
    """A phrase of what ails somebody may begin with these words."""
    _mark(words, kinds.FRAMED)


def mark_words(words: Iterable[str], kind: int) -> None:
    """These words are of this kind too, whatever else they can be."""
    for word in words:
        KINDS[word] = kind_of(word) | kind


def _mark(words: Iterable[str], mark: int) -> None:
    for word in words:
        kind = kind_of(word)
        known = KINDS.get(word) is not None or "'" in word
        KINDS[word] = (kind & ~kinds.UNKNOWN if known else kind) | mark


def kind_of(word: str) -> int:
    """All that a lower-case token can be."""
    return KINDS[word]


def _unlisted(word: str) -> int:
    if not word[0].isalpha():
        return kinds.DIGITS if word.isdecimal() else 0
    if "'" in word:
        kind = KINDS.get(bare(word), 0) & _OF_BARE
        if kind:
            return kind | kinds.WORD
        if word.startswith(("o'", "d'", "m'")) and not KINDS.get(bare(word)[2:], 0) & kinds.COMMON:
            return (kinds.LAST if len(word) > 4 else kinds.UNKNOWN) | kinds.WORD
    kind = KINDS.get(stem(word), 0) & _OF_STEM
    if kind:
        return kind | kinds.WORD
    if len(word) == 1:
        return kinds.WORD | kinds.LETTER
    rare = KINDS.get(stem(word), 0) & (kinds.SELDOM | kinds.RARER)
    return kinds.WORD | kinds.UNKNOWN | rare | (kinds.PAIR if len(word) == 2 else 0)
