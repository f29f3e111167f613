"""What is masked and what is not. All names, numbers and addresses are invented or reserved for that."""

import pytest

from compliance.redaction import CallRedactor, find, redact
from compliance.redaction.medical.medical import LEXICON

MASKED = [
    # e-mail
    ("write to john@example.com.", "write to [EMAIL]."),
    ("(j.o'neil+clinic@mail.example.co.uk)", "([EMAIL])"),
    ("my email is john dot smith at gmail dot com thanks", "my email is [EMAIL] thanks"),
    ("it's j o h n 8 2 at hotmail dot co dot uk", "it's [EMAIL]"),
    ("that's J-O-H-N underscore smith at example dot org", "that's [EMAIL]"),
    ("jane smith at gmail, please", "[EMAIL], please"),
    ("tom at example dot health", "[EMAIL]"),
    # phone
    ("call me on 07700 900000 please", "call me on [PHONE] please"),
    ("it's +44 20 7946 0958.", "it's [PHONE]."),
    ("(202) 555-0173 is mine", "[PHONE] is mine"),
    ("202-555-0173", "[PHONE]"),
    ("+1 202 555 0173 and +33 1 99 00 12 34", "[PHONE] and [PHONE]"),
    ("oh seven seven double oh nine hundred thousand", "[PHONE]"),
    ("Zero seven, seven zero zero, um, nine zero zero, triple zero.", "[PHONE]."),
    ("oh two oh seven nine four six oh nine five eight is the landline", "[PHONE] is the landline"),
    ("two oh two triple five oh one seven three", "[PHONE]"),
    ("my number is seven seven hundred nine hundred thousand", "my number is [PHONE]"),
    ("it's oh seven seven double oh", "it's [PHONE]"),
    # card, government numbers
    ("the card is 4242 4242 4242 4242", "the card is [CARD]"),
    ("four two four two four two four two four two four two four two four two", "[CARD]"),
    ("and the security code is one two three", "and the security code is [CARD]"),
    ("my NHS number is 943 476 5919", "my NHS number is [GOV_ID]"),
    ("QQ 12 34 56 C", "[GOV_ID]"),
    ("my social security number is 078-05-1120", "my social security number is [GOV_ID]"),
    # postcode, address
    ("I live near SW1A 2AA.", "I live near [POSTCODE]."),
    ("it's sw1a2aa", "it's [POSTCODE]"),
    ("S W one A two double A", "[POSTCODE]"),
    ("m one, one a e", "[POSTCODE]"),
    ("zip code 90210", "zip code [POSTCODE]"),
    ("we live at 14 Elm Park Road in town", "we live at [ADDRESS] in town"),
    ("123 Main St", "[ADDRESS]"),
    # medical
    ("a consultation about a rhinoplasty", "a consultation about a [MEDICAL]"),
    ("I have heart problems and I'm on Warfarin", "I have [MEDICAL] and I'm on [MEDICAL]"),
    ("no allergies, but hay-fever and Crohn\u2019s disease", "no [MEDICAL], but [MEDICAL] and [MEDICAL]"),
    ("cardiac surgery, diabetic, haemorrhoids, hemorrhoids", "[MEDICAL], [MEDICAL], [MEDICAL], [MEDICAL]"),
    ("a nose job", "a [MEDICAL]"),
    ("my back hurts and my throat is sore", "my [MEDICAL] and my [MEDICAL]"),
    ("a pain in my knee, it's swollen and itchy", "a [MEDICAL], it's [MEDICAL] and [MEDICAL]"),
    ("I can't breathe, I have hearing loss", "I [MEDICAL], I have [MEDICAL]"),
    ("a blood test, a boob job, a wisdom tooth", "a [MEDICAL], a [MEDICAL], a [MEDICAL]"),
    # names and births, where the words around say so
    ("my name is Sarah O'Brien and I'd like to book", "my name is [PERSON] and I'd like to book"),
    ("I was born on the 14th of December 1955", "I was born on [DOB]"),
    ("my date of birth is 12/05/1955", "my date of birth is [DOB]"),
    ("date of birth twelve five nineteen fifty five", "date of birth [DOB]"),
    ("date of birth 24 november 1968", "date of birth [DOB]"),
    # misheard, interrupted or spelled in words
    ("how is that spelled?\npapa alpha tango echo lima", "how is that spelled?\n[PERSON]"),
    ("could you spell that\nel u m l e y", "could you spell that\n[PERSON]"),
    ("when were you born\naugust thirteenth to thousand and six", "when were you born\n[DOB]"),
    ("your phone number\noh one three won ate five three seven four seven six", "your phone number\n[PHONE]"),
    ("ssn six five eight let me see seven nine two four seven three", "ssn [GOV_ID]"),
    (
        "Agent: Your confirmation is 528388. Your phone?\nCaller: oh seven seven double oh",
        "Agent: Your confirmation is 528388. Your phone?\nCaller: [PHONE]",
    ),
    ("NI is jay kay sixteen twenty nought five D", "NI is [GOV_ID]"),
    ("the postcode is e for edward x for x-ray one nine u s", "the postcode is [POSTCODE]"),
    ("it's Rose Cottage, 52 Lansdowne Place, Worksop", "it's [ADDRESS]"),
    ("an allergic reaction to bactrim", "an [MEDICAL]"),
]

KEPT = [
    "2023-01-15",
    "2026-11-24T10:30:00+00:00 or 15/01/2023, 15.01.2023",
    "the fifteenth of January at half past two",
    "Tuesday the 24th at half past ten, please",
    "nine fifteen, nine forty five, ten thirty",
    "nine fifteen, nine forty-five, ten thirty and ten",
    "nine fifteen nine forty five ten thirty eleven oh five",
    "is 10:30 or 11.45 free? We are open 9.00-17.30",
    "ten thirty eleven forty five",
    "on 15 01 2026 at 10 30",
    "in March 2026, two thousand and twenty six",
    "between 2019-2021 and 1990, 1995, 2005",
    "£2,500, $1,250.00 or 1,250,000 pounds",
    "two hundred and fifty pounds, twelve hundred dollars",
    "nine hundred thousand pounds",
    "1500000 euros",
    "order number 123456",
    "my booking reference is 4 7 2 9 1 6",
    "the W1 1st floor",
    "a one to one session",
    "site harley clinic dot co dot uk",
    "I was at the clinic dot dot dot",
    "my back door, the head of the clinic, a hand please",
    "Dr Patel has a slot in May",
    "rooms 9, 10, 11, 12 and 13",
    "I'm afraid I can't, may I come at two or three?",
    "call 999 or 111",
    "slots are quarter to one and eight o'clock",
    "Agent: Which floor are you on now?\nCaller: Two, by the lifts",
    "I have the NHS app, it's seventy kilos, ish",
    "it's valid until the end of October, so there's plenty of time",
    "there's a C and then a D R on the bill",
    "I thought I'd done something wrong, he said they'd still honour it",
    "Agent: Your confirmation is 528388.\nCaller: 090658, thanks",
    "make a note of the ticket number, it's INV7461777, they'll ring you\n7461777, got that",
    "a check-up, an appointment, a consultation with the surgery",
    "No, that's all, thank you. Goodbye.",
    "",
    " \n\n ",
]


def short(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(("said", "public"), MASKED)
def test_masked(said: str, public: str) -> None:
    assert short(said) == public


@pytest.mark.parametrize("said", KEPT)
def test_kept(said: str) -> None:
    assert short(said) == said


def test_find_gives_places_and_types() -> None:
    text = "I'm on warfarin, call 07700 900000."
    assert find(text) == [(7, 15, "MEDICAL"), (22, 34, "PHONE")]
    assert text[7:15] == "warfarin"


def test_a_transcript_is_read_turn_by_turn() -> None:
    transcript = (
        "Agent: What is your date of birth?\n"
        "Caller: 14 December 1955\n"
        "Agent: Thank you. And your name?\n"
        "Caller: It's John Smith.\n"
        "Agent: Thank you, John. 14 December is free."
    )
    assert short(transcript) == (
        "Agent: What is your date of birth?\n"
        "Caller: [DOB]\n"
        "Agent: Thank you. And your name?\n"
        "Caller: It's [PERSON].\n"
        "Agent: Thank you, [PERSON]. 14 December is free."
    )


def test_a_transcript_without_labels_is_read_by_its_questions() -> None:
    assert short("What's your date of birth?\n14 December 1955") == "What's your date of birth?\n[DOB]"


@pytest.mark.parametrize("ending", ["'s", "'", "'ll", "'d", "'re", "\u2019s", "\u2019ll"])
def test_no_term_escapes_by_what_an_apostrophe_adds(ending: str) -> None:
    leaked = [term for term in LEXICON if term in redact(f"well my {term}{ending} back again").lower()]
    assert leaked == []


def test_a_clinics_own_service_does_not_escape_by_it_either() -> None:
    redactor = CallRedactor(services=["Botox treatment", "nose job"])
    for said in ("a Botox's appointment", "what is a nose job's price", "Botox\u2019ll do"):
        assert "botox" not in redactor.caller(said).lower()
        assert "nose" not in redactor.caller(said).lower()


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("ive got a sore throat", "ive got a [REDACTED: MEDICAL]"),
        ("hes got a cough and he wont eat", "hes got a [REDACTED: MEDICAL] and he [REDACTED: MEDICAL]"),
        ("i cant swallow", "i [REDACTED: MEDICAL]"),
        ("im john smith, thats ellen", "im [REDACTED: PERSON], thats [REDACTED: PERSON]"),
        ("theyve said im to ring, whats the price", "theyve said im to ring, whats the price"),
        ("its im.smith@example.com", "its [REDACTED: EMAIL]"),
        ("My name is Im Soo-jin", "My name is [REDACTED: PERSON]"),
    ],
)
def test_contractions_are_read_without_their_apostrophe_too(said: str, public: str) -> None:
    assert redact(said) == public
    assert redact(f"{said} ") == f"{public} "
