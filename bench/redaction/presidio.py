"""Microsoft Presidio, if it is installed, as a rival on the same cases.

With a spaCy pipeline (`--spacy-model`, a package or a folder) it finds names and places too; without one it
is patterns, check digits and `phonenumbers`. It knows no date of birth and no illness: its dates are counted
neither for nor against it. Source: presidio-analyzer 2.2 (read 2026-11).
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from bench.redaction.quality import Masked

_TYPES: Final = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "UK_POSTCODE": "POSTCODE",
    "LOCATION": "ADDRESS",
    "PERSON": "PERSON",
    "UK_NHS": "GOV_ID",
    "UK_NINO": "GOV_ID",
    "US_SSN": "GOV_ID",
    "CREDIT_CARD": "CARD",
}
_MODULES: Final = (
    "presidio_analyzer",
    "presidio_analyzer.nlp_engine",
    "presidio_analyzer.predefined_recognizers",
    "spacy",
    "tldextract",
)


class PresidioMissing(Exception):
    """presidio-analyzer or the spaCy pipeline is not installed; the message says which."""


def presidio(model: str | None) -> Callable[[str], Sequence[Masked]]:
    """What finds entities with it. Raises `PresidioMissing`."""
    try:
        presidio_analyzer, nlp_engine, predefined_recognizers, spacy, tldextract = (
            import_module(name) for name in _MODULES
        )
    except ImportError as error:
        raise PresidioMissing(f"{error.name} is not installed: pip install '.[bench-redaction]'") from None
    # It would fetch the list of public suffixes on first use.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    engine = nlp_engine.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": model or "blank"}])
    try:
        engine.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}
    except OSError:
        raise PresidioMissing("the spaCy pipeline is not installed") from None
    registry = presidio_analyzer.RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.add_recognizer(predefined_recognizers.UkNinoRecognizer())
    registry.add_recognizer(predefined_recognizers.UkPostcodeRecognizer())
    analyzer = presidio_analyzer.AnalyzerEngine(
        registry=registry, nlp_engine=engine, supported_languages=["en"]
    )

    def find(text: str) -> list[Masked]:
        return _strongest(analyzer.analyze(text, "en", entities=list(_TYPES)))

    return find


def _strongest(results: Sequence[Any]) -> list[Masked]:
    """Of results that overlap the surest, then the longest."""
    kept: list[Masked] = []
    for result in sorted(results, key=lambda each: (-each.score, each.start - each.end)):
        if all(result.end <= start or end <= result.start for start, end, _ in kept):
            kept.append((result.start, result.end, _TYPES[result.entity_type]))
    return sorted(kept)
