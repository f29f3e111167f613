"""The scorer of redaction: reading the corpus, comparing, streaming."""

import importlib.util
import json
from pathlib import Path

import pytest

from bench.redaction.command import as_document, measure
from bench.redaction.corpus import Case, CorpusInvalid, Turn, read_corpus, read_file, unmark
from bench.redaction.quality import Masked, Quality
from bench.redaction.score import score_streamed, score_whole
from bench.redaction.streaming import (
    CUTS,
    PublishedDiffers,
    align,
    as_transcribed,
    said_until,
    stream,
    word_by_word,
)

CORPUS = Path(__file__).parent.parent / "compliance" / "redaction" / "corpus"
PARTS = [part for part in ("dev", "held") if (CORPUS / part).is_dir()]


def one(marked: str) -> Case:
    text, entities = unmark(marked)
    return Case("contact", 1, text, (Turn("caller", 0, text),), tuple(entities))


def judged(marked: str, *masked: tuple[str, str]) -> Quality:
    """The quality of masking these stretches of a marked text."""
    case, quality = one(marked), Quality()
    places: list[Masked] = []
    for value, kind in masked:
        at = case.text.index(value)
        places.append((at, at + len(value), kind))
    quality.add(case, places)
    return quality


# reading


def test_markup_is_taken_out_and_offsets_are_of_the_plain_text() -> None:
    text, (phone, name) = unmark("call {PHONE|oh one <um >two} or {PERSON|Ann}")
    assert text == "call oh one um two or Ann"
    assert text[phone.start : phone.end] == "oh one um two"
    assert "".join(text[at] for at in sorted(phone.optional)) == "um "
    assert (text[name.start : name.end], name.type) == ("Ann", "PERSON")


@pytest.mark.parametrize(
    "marked", ["{PHONE|one", "one}", "{SHOE|nine}", "{PHONE|{PHONE|one}}", "{PHONE|<one}", "a > b"]
)
def test_broken_markup_is_refused(marked: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        unmark(marked)


def test_turns_are_one_case_and_only_labels_are_text(tmp_path: Path) -> None:
    file = tmp_path / "dialogues.txt"
    file.write_text("agent| Name?\nCaller: {PERSON|Ann}\n\nalone\n", encoding="utf-8")
    dialogue, alone = read_file(file)
    assert dialogue.text == "Name?\nCaller: Ann"
    assert [(turn.speaker, turn.text) for turn in dialogue.turns] == [("agent", "Name?"), ("caller", "Ann")]
    assert dialogue.text[dialogue.turns[1].start :] == "Ann"
    assert dialogue.text[dialogue.entities[0].start : dialogue.entities[0].end] == "Ann"
    assert (alone.text, alone.line) == ("alone", 4)


def test_a_file_of_negatives_may_hold_no_entity(tmp_path: Path) -> None:
    file = tmp_path / "negatives.txt"
    file.write_text("It's {PERSON|Ann}\n", encoding="utf-8")
    with pytest.raises(CorpusInvalid, match=r"negatives\.txt:1"):
        list(read_file(file))


@pytest.mark.parametrize("part", PARTS)
def test_the_corpus_is_what_its_frames_make(part: str, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make", CORPUS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    make.make(CORPUS / "frames" / part, tmp_path)
    for made in sorted(tmp_path.glob("*.txt")):
        assert (CORPUS / part / made.name).read_text(encoding="utf-8") == made.read_text(encoding="utf-8")


@pytest.mark.skipif(len(PARTS) < 2, reason="only one part of the corpus is here")
def test_the_parts_share_neither_sentences_nor_names_nor_terms() -> None:
    frames = [set(_frames(part)) for part in PARTS]
    assert frames[0] & frames[1] == set()
    dev, held = (
        json.loads((CORPUS / "frames" / part / "pools.json").read_text(encoding="utf-8")) for part in PARTS
    )
    apart = ("first", "last", "street", "town", "area", "cond", "symp", "proc", "drug", "doctor", "clinic")
    assert {pool: set(dev[pool]) & set(held[pool]) for pool in apart} == {pool: set() for pool in apart}


def _frames(part: str) -> list[str]:
    files = sorted((CORPUS / "frames" / part).glob("*.txt"))
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    # A bare slot, as an answer to a question, and a short remark are said in both.
    return [line for line in lines if len(line.split()) > 6 and not line.startswith(("#", "%"))]


# comparing


def test_masking_it_all_is_perfect() -> None:
    quality = judged(
        "I'm {PERSON|Ann Lee}, on {PHONE|07700 900118}", ("Ann Lee", "PERSON"), ("07700 900118", "PHONE")
    )
    assert (quality.leak_percent, quality.full_percent) == (0, 100)
    assert (quality.overlap_f1, quality.exact_f1, quality.false_positives) == (1, 1, 0)


def test_what_stays_readable_is_counted_in_letters_and_digits() -> None:
    quality = judged("{PERSON|Ann Lee} here", ("Ann", "PERSON"))
    assert (quality.readable, quality.characters) == (3, 6)
    assert (quality.full_percent, quality.overlap_f1, quality.exact_f1) == (0, 1, 0)


def test_a_wrong_type_hides_the_words_but_is_a_miss_and_a_false_positive() -> None:
    quality = judged("{PHONE|07700 900118}", ("07700 900118", "GOV_ID"))
    assert (quality.readable, quality.overlap_f1, quality.false_positives) == (0, 0, 1)


def test_address_and_postcode_may_stand_for_one_another() -> None:
    quality = judged("{ADDRESS|1 Elm Road}, {POSTCODE|N1 1AA}", ("1 Elm Road, N1 1AA", "ADDRESS"))
    assert (quality.overlap_f1, quality.false_positives) == (1, 0)
    assert quality.types["ADDRESS"].exact == quality.types["POSTCODE"].exact == 1


def test_masking_beyond_the_end_is_not_exact_but_punctuation_does_not_matter() -> None:
    assert judged("it's {PERSON|Ann} here", ("it's Ann", "PERSON")).exact_f1 == 0
    assert judged("it's {PERSON|Ann}, hi", ("Ann,", "PERSON")).exact_f1 == 1


def test_optional_words_may_be_masked_or_not() -> None:
    marked = "it's {PHONE|oh one <sorry >two three}"
    assert judged(marked, ("oh one sorry two three", "PHONE")).exact_f1 == 1
    in_parts = judged(marked, ("oh one", "PHONE"), ("two three", "PHONE"))
    assert (in_parts.readable, in_parts.exact_f1, in_parts.overlap_f1) == (0, 1, 1)


def test_what_is_all_optional_counts_neither_way() -> None:
    for masked in ([], [("allergies", "MEDICAL")]):
        quality = judged("any {MEDICAL|<allergies>}?", *masked)
        assert (quality.marked, quality.false_positives, quality.overlap_f1) == (0, 0, 1)


def test_false_positives_are_counted_per_thousand_words() -> None:
    assert judged("at half past nine", ("nine", "PHONE")).false_per_1000_words == 250


# streaming


def test_published_text_tells_what_it_hides() -> None:
    parts = align("I'm Ann, on 123.", "I'm [REDACTED: PERSON], on [REDACTED: PHONE 2].")
    assert [(part.said, part.type) for part in parts] == [
        (4, None), (3, "PERSON"), (5, None), (3, "PHONE"), (1, None)
    ]  # fmt: skip
    assert said_until(parts, 6) == 4
    assert said_until(parts, len("I'm [REDACTED: PERSON]")) == 7


def test_text_that_was_changed_besides_masking_is_refused() -> None:
    with pytest.raises(PublishedDiffers):
        align("I'm Ann", "I am [REDACTED: PERSON]")


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_cuts_lose_nothing(cut: object) -> None:
    said = "  well, it's  oh seven seven double oh nine hundred thousand, thanks "
    assert callable(cut)
    assert "".join(cut(said)) == said
    assert all(cut(said))


def test_a_chunk_of_the_transcriber_holds_what_was_said_in_that_time() -> None:
    chunks = as_transcribed("I am on it, but congratulations")
    assert len(word_by_word("I am on it, but congratulations")) == 6
    assert chunks == ["I ", "am on ", "it, ", "but ", "congratulations"]


class OneWordLate:
    """Hides `secret`; publishes each word when the next one has come."""

    def __init__(self) -> None:
        self._open = ""

    def feed(self, text: str) -> str:
        whole = self._open + text
        at = whole.rstrip().rfind(" ") + 1
        self._open = whole[at:]
        return whole[:at].replace("secret", "[REDACTED: PERSON]")

    def flush(self) -> str:
        rest, self._open = self._open, ""
        return rest.replace("secret", "[REDACTED: PERSON]")

    def hear_agent(self, text: str) -> str:
        return text.replace("secret", "[REDACTED: PERSON]")


def test_a_streamed_case_tells_what_was_hidden_and_held_back() -> None:
    case = one("I am {PERSON|secret} too")
    streamed = stream(case, OneWordLate(), word_by_word)
    assert streamed.masked == [(5, 11, "PERSON")]
    assert streamed.held_back == [2, 3, 7, 3]
    scores = score_streamed([case], OneWordLate, word_by_word)
    assert (scores.scores.main.leak_percent, scores.held_at(0.95), scores.mean_at(0.5)) == (0, 6, 3.75)


def test_a_redactor_that_hides_nothing_leaks_all_and_one_that_hides_all_takes_all() -> None:
    cases = [case for case in read_corpus(CORPUS / "dev") if case.file in ("contact", "must_not")]
    nothing = score_whole(cases, lambda text: [])
    assert (nothing.main.leak_percent, nothing.main.full_percent, nothing.main.overlap_f1) == (100, 0, 0)
    everything = score_whole(cases, lambda text: [(0, len(text), "PHONE")])
    assert everything.main.leak_percent == 0
    assert everything.must_not.false_positives == everything.must_not.cases > 20
    assert everything.main.exact_f1 < 0.1


def test_the_report_is_json_without_a_word_of_the_corpus() -> None:
    cases = [one("call {PHONE|07700 900118} now"), one("I live in peace")]
    document = json.dumps(as_document(measure(cases, None)))
    assert "07700" not in document
    assert "peace" not in document
    assert json.loads(document)["cases"] == 2
