"""Complaints told in whole phrases, and drugs by their consonants."""

import pytest

from compliance.redaction import redact
from compliance.redaction.medical.drug_sounds import sounds


def said(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("I've lost a lot of weight lately", "I've [MEDICAL] lately"),
        ("he keeps passing out at work", "he keeps [MEDICAL] at work"),
        ("my filling's fallen out again", "my [MEDICAL] again"),
        ("there's gunk coming out of my eye", "there's [MEDICAL]"),
        ("my left eye was glued shut", "my [MEDICAL]"),
        ("it stings when I wee, really", "it [MEDICAL], really"),
        ("she was diagnosed with hartnup disease", "she was diagnosed with [MEDICAL]"),
        ("he takes met forman twice a day", "he takes [MEDICAL] twice a day"),
        ("my dentures don't fit any more", "my [MEDICAL] any more"),
        ("mum's really confused today", "mum's really [MEDICAL] today"),
        ("dad can't get up off the floor", "dad [MEDICAL]"),
        ("my transfer is on Thursday", "my [MEDICAL] is on Thursday"),
        ("I'm six weeks gone", "I'm [MEDICAL]"),
        ("he sliced the top off his finger", "he [MEDICAL]"),
        ("thing is in my eye and is red and itching", "[MEDICAL] and is [MEDICAL]"),
        ("my wife is expecting and we are new", "my wife is [MEDICAL] and we are new"),
        ("my mother has sugar and is tired", "my mother has [MEDICAL] and is [MEDICAL]"),
        ("I've been spotting since Tuesday", "I've been [MEDICAL] since Tuesday"),
        ("my mother's confused and hot", "my mother's [MEDICAL] and [MEDICAL]"),
        ("I splashed bleach in my eye", "I [MEDICAL]"),
        ("he's got hand, foot and mouth", "he's got [MEDICAL]"),
        ("I had veneers and one's chipped", "I had [MEDICAL] and one's [MEDICAL]"),
        ("I'm due my B12", "I'm due my [MEDICAL]"),
        ("my hearing aids are making my ears sore", "my [MEDICAL] are [MEDICAL]"),
        ("I can't breathe through it", "I [MEDICAL]"),
        ("his face is black and blue", "his [MEDICAL]"),
        ("the crown on the left side", "the [MEDICAL] on the left side"),
        ("my stitches are pulling", "my [MEDICAL]"),
        ("I've had a terrible headache", "I've had a [MEDICAL]"),
        ("it's my rosacea and the cream's stinging", "it's my [MEDICAL] and the cream's [MEDICAL]"),
        ("the mole has changed colour", "the [MEDICAL]"),
        ("the arch of my foot kills", "the [MEDICAL]"),
        ("the skin on my hands is peeling", "the [MEDICAL]"),
        ("my nails have gone yellow and crumbly", "my [MEDICAL]"),
        ("my heel kills me", "my [MEDICAL]"),
        ("I lie awake till four", "I [MEDICAL]"),
        ("she's covered in white spots", "she's [MEDICAL]"),
        ("I struggle to lift my arm", "I [MEDICAL]"),
        ("I have pain when I pass water", "I have [MEDICAL]"),
        ("he won't take his bottle", "he [MEDICAL]"),
        ("she's wandering at night", "she's [MEDICAL]"),
        ("my feet are like blocks of ice", "my [MEDICAL]"),
        ("my hands feel like they've got gloves on", "my [MEDICAL]"),
        ("the glands in my neck are up", "the [MEDICAL]"),
        ("I can't feel the ends of my fingers", "I [MEDICAL]"),
        ("my dads legs keep swelling", "my dads [MEDICAL]"),
        ("it's puffy and red", "it's [MEDICAL] and [MEDICAL]"),
        ("I faint with needles", "I [MEDICAL]"),
        ("it bleeds when I catch it", "it [MEDICAL]"),
        ("I'm intolerant to dairy", "I'm [MEDICAL]"),
        ("she's stopped taking her tablets", "she's [MEDICAL]"),
        ("she keeps clearing her throat", "she [MEDICAL]"),
        ("I trapped a nerve", "I [MEDICAL]"),
    ],
)
def test_what_happens_to_a_body_is_masked(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "I've lost a lot of time with this",
        "he keeps passing my calls on",
        "I can't see a link in the email",
        "there's something in my diary",
        "my eyes are brown",
        "she takes Wednesdays off",
        "I was put on the waiting list",
        "mum's really confused about the date",
        "the bank transfer is going through",
        "we can't get up there before ten",
        "two weeks gone and no letter",
        "thanks for spotting that",
        "is there a smoking area",
        "the car park is B12",
        "the laser printer is broken",
        "he's confused about the bill",
        "I'm scared to look",
        "you're through to podiatry",
        "I fell off a ladder once",
        "I can't face the drive",
        "I was up all night with the website",
        "we've run out of forms",
        "my feet are up and my arm is free",
        "his eyes are like mine",
        "is that not right",
        "it's red and white, the building",
        "there's no interest to pay",
        "he can't stand waiting around",
        "I'm expecting a call",
        "the wall's gone a bit blue",
        "has she sugar in her tea",
        "I got stuck in traffic",
        "I can only see Tuesday",
        "is it hard to move the appointment",
        "I can't think what it's called",
        "it wouldn't take up much of your time",
        "we're paying the balance off",
        "I can't see the point in paying twice",
        "have I done something wrong",
        "I forget his name",
        "getting there is a real pain",
    ],
)
def test_the_same_words_of_other_things_stay(text: str) -> None:
    assert said(text) == text


def test_misheard_drugs_keep_their_consonants() -> None:
    assert sounds("metforman") == sounds("metformin")
    assert sounds("paraseatamol") == sounds("paracetamol")
    assert sounds("metformin") != sounds("methotrexate")
