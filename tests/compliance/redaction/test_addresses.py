"""Addresses as callers say them, and the talk that only sounds like one. All are invented."""

import pytest

from compliance.redaction import redact

MASKED = [
    # rarer kinds of streets, and streets without one
    "it's {fourteen b marlow wynd stirling}",
    "we're at {8 Heron Quay, Plymouth} these days",
    "moved from {six bramley garth} to {eleven stonecross fold in Bolton} last month",
    "a taxi from {twenty two skelder rise whitby} please",
    "{17 Hawthorn Brae in Abercarrick} please",
    "post to {twelve brackenhill kettering}",
    "my parents are at {nine the paddocks swindon}, put that down",
    "send it to {number one the green chipping norton}",
    "living at {thirty one a mill lane}",
    # flats and houses with a name
    "{flat twenty seven twenty six elm close}",
    "{flat two sixty one tennyson crescent}",
    "{basement flat twenty three tennyson rise swansea}.",
    "{top flat 9 gladstone road brighton} the buzzer is broken",
    "{first floor flat, 12 Harbour View, Whitby}",
    "{Rowan Cottage, Fetter Lane} is where I live",
    "{The Old Forge, Nether Wallop}, there's no number.",
    "we're {Willow Barn, Church Road, near Ludlow}",
    # no kind of street, or one in front
    "my address is {Apartment 41, 20 Long Acre, Deal}",
    "post it to {sixteen beech hurst crewe}",
    "{flat seven a eighteen coronation place}",
    "it's {seventy five a ashgrove inverness}",
    "the letter goes to {82 Cnoc na Gréine, Ennis}",
    "i live at {three tan y bryn dolgellau}",
    "{Top flat, 12 Bohermore}, so please update that",
    "we're {42 The Maltings, Ware, Hertfordshire}.",
    "he's at {fernleigh care home harrogate}",
    "i'm at {the old coach house nether stowey}",
    "it's {a hundred and twelve b seven sisters road}",
    "we live in {Penrhyndeudraeth}.",
    # America and Ireland
    "{eleven hundred west maple street kalamazoo michigan}",
    "{52 North 43rd Street, Yonkers, New York}",
    "{twenty four oh six maple trail austin texas}",
    "{5120 Quail Run Loop, Apt 12, Tulsa, Oklahoma}",
    "{88 Prospect Cove unit 4 Memphis Tennessee}",
    "{1410 Highway 12 Bozeman Montana}",
    "{two ten county road five salida colorado}",
    "{1500 Broadway Suite 20 New York}",
    "{five twenty first street sacramento california}",
    "{three four two fifth court apartment 9 hartford connecticut}",
    "{P O box forty two hartford connecticut} is best for letters.",
    "{nine ranelagh avenue dublin six west}",
]
KEPT = [
    "I waited two weeks for the first floor nurse to close the window",
    "we have three rooms on the ground floor at the end",
    "go past the bridge and turn into the first road",
    "it's a five minute walk from the station",
    "he moved to chelsea for the schools",
    "I had two falls at the end of the path",
    "we drove for one hour through the green hills",
    "I'm at the end of the road",
    "room 4 is at the end on the right",
    "one more thing, the car park barrier would not take my ticket",
    "there are six parking spaces at the front",
    "we stayed in the guest house in reading",
    "I have 2 kids and I want 3 slots",
    "the unit on the top floor was cold",
]
ANSWERED = [
    ("And what city and state is that?", "Elkhorn Nebraska"),
    ("And what city is that in?", "Salida"),
    ("Where should we post the form?", "tower court canal grove exeter"),
    ("What's your address?", "The Old Forge, Nether Wallop"),
]


def _marked(said: str) -> tuple[str, str]:
    """What is said, and what may be published of it."""
    public = "".join(part.split("}")[-1] for part in said.split("{"))
    return said.replace("{", "").replace("}", ""), public


@pytest.mark.parametrize("said", MASKED)
def test_an_address_is_masked_from_its_flat_to_its_town(said: str) -> None:
    words, public = _marked(said)
    assert redact(words).replace("[REDACTED: ADDRESS]", "") == public


@pytest.mark.parametrize("code", ["D06 X2Y7", "T12 XY34", "a six five f four e two"])
def test_an_eircode_behind_an_address_is_a_postcode(code: str) -> None:
    said = f"It's 23 Clanbrassil Terrace, Dublin 6, {code}."
    assert redact(said) == "It's [REDACTED: ADDRESS], [REDACTED: POSTCODE]."


@pytest.mark.parametrize("said", KEPT)
def test_ways_and_floors_in_talk_are_kept(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(("question", "answer"), ANSWERED)
def test_the_answer_is_masked_whole(question: str, answer: str) -> None:
    assert redact(f"Agent: {question}\nCaller: {answer}").endswith("\nCaller: [REDACTED: ADDRESS]")
