import pytest

from compliance.redaction import CallRedactor


@pytest.fixture
def call() -> CallRedactor:
    return CallRedactor(
        services=["Rhinoplasty consultation", "Skin MOT", "Consultation", "Follow-up appointment"],
        keep=["Dr Amir Patel", "Harley Acne Clinic"],
    )


def test_an_orgs_services_are_medical_in_part_and_whole(call: CallRedactor) -> None:
    assert call.caller("a skin MOT or a rhinoplasty consultation") == (
        "a [REDACTED: MEDICAL] or a [REDACTED: MEDICAL]"
    )
    assert call.agent("Your Skin-MOT is on Tuesday.") == "Your [REDACTED: MEDICAL] is on Tuesday."


def test_generic_services_are_not_medical(call: CallRedactor) -> None:
    said = "a consultation, then a follow-up appointment"
    assert call.caller(said) == said


def test_the_clinic_and_its_practitioners_are_never_masked(call: CallRedactor) -> None:
    call.agent("Who am I speaking to?")
    said = "Harley Acne Clinic? I'd like Dr Amir Patel about my acne"
    assert call.caller(said) == "Harley Acne Clinic? I'd like Dr Amir Patel about my [REDACTED: MEDICAL]"


@pytest.mark.parametrize(
    ("question", "answer", "public"),
    [
        ("What is your date of birth?", "The fourth of May, nineteen sixty.", "[REDACTED: DOB]."),
        ("And your full name, please?", "yes it's Mary Ann Jones", "yes it's [REDACTED: PERSON]"),
        ("What's the best number to reach you on?", "triple two, one", "[REDACTED: PHONE]"),
        ("What's the postcode?", "It's 90210", "It's [REDACTED: POSTCODE]"),
        ("Please read me your NHS number.", "943 476 5919", "[REDACTED: GOV_ID]"),
        ("Can you read me the six digit code?", "four seven two nine one six", "four seven two nine one six"),
        ("What can I do for you?", "Fourth of May, please", "Fourth of May, please"),
        ("And your name?", "Why do you need it?", "Why do you need it?"),
    ],
)
def test_the_question_says_what_a_bare_answer_is(
    call: CallRedactor, question: str, answer: str, public: str
) -> None:
    assert call.agent(question) == question
    assert call.caller(answer) == public


def test_what_was_asked_is_forgotten_after_the_answer(call: CallRedactor) -> None:
    call.agent("What is your date of birth?")
    call.caller("14 December 1955")
    call.agent("Which day suits you?")
    assert call.caller("14 December") == "14 December"


def test_what_was_asked_survives_an_empty_turn_and_a_short_word_of_the_agent(call: CallRedactor) -> None:
    call.agent("What is your date of birth?")
    assert call.caller("") == ""
    call.agent("Hello?")
    assert call.caller("14 December 1955") == "[REDACTED: DOB]"


def test_a_number_broken_off_by_the_end_of_a_turn_goes_on_in_the_next(call: CallRedactor) -> None:
    assert call.caller("It's oh seven seven double oh") == "It's [REDACTED: PHONE]"
    call.agent("Yes?")
    assert call.caller("nine hundred thousand") == "[REDACTED: PHONE]"
    call.caller("that's it")
    assert call.caller("nine hundred thousand") == "nine hundred thousand"


def test_a_name_once_given_is_masked_on_both_sides_from_then_on(call: CallRedactor) -> None:
    call.caller("Hi, my name is Siobhan Price")
    assert call.agent("Thank you, Siobhan.") == "Thank you, [REDACTED: PERSON]."
    assert (
        call.caller("it's siobhan, for the Price family")
        == "it's [REDACTED: PERSON], for the [REDACTED: PERSON] family"
    )
    assert call.caller("what is the price") == "what is the price"


def test_offered_times_are_public(call: CallRedactor) -> None:
    offer = "I have Tuesday the 24th at half past ten, or Wednesday at two fifteen, with Dr Amir Patel."
    assert call.agent(offer) == offer
