"""Names of no list are known by the sentence around them; words of no list are no names without one."""

import pytest

from compliance.redaction import redact


def said(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("quillvane is my surname", "[PERSON] is my surname"),
        ("brannagorn's the name", "[PERSON]'s the name"),
        ("i'm tazwyn's mum", "i'm [PERSON]'s mum"),
        ("can i move obrequin's appointment", "can i move [PERSON]'s appointment"),
        ("we're the pellinquist family", "we're the [PERSON] family"),
        ("please tell zorvane i rang", "please tell [PERSON] i rang"),
        ("it's on behalf of drusk vanterpol", "it's on behalf of [PERSON]"),
        ("can you check whether ouranthe is on the list", "can you check whether [PERSON] is on the list"),
        ("for brivane and her sister mirrawen", "for [PERSON] and her sister [PERSON]"),
        ("she'll be a friend of dravoska's", "she'll be a friend of [PERSON]'s"),
        ("it's under Mrs Quillvane", "it's under Mrs [PERSON]"),
        ("the name on the card is mr j p quillvane", "the name on the card is mr [PERSON]"),
        ("It's Petrovic, Valentine, if you go by surnames", "It's [PERSON], [PERSON], if you go by surnames"),
        ("surname wojciech w for water o j for jam c i e c h", "surname [PERSON]"),
        ("it's featherstone f e a t h e r stone", "it's [PERSON]"),
        ("i'm picking up for marjolein de wit", "i'm picking up for [PERSON]"),
        ("my name is crispin wetherby", "my name is [PERSON]"),
        ("could you let brivane know i've arrived", "could you let [PERSON] know i've arrived"),
        ("tazwyn, that's with a z", "[PERSON], that's with a z"),
        ("Could you book Zorvane in as well?", "Could you book [PERSON] in as well?"),
        ("ring mercy on 07700 900123", "ring [PERSON] on [PHONE]"),
        ("okay tazwyn bear with me", "okay [PERSON] bear with me"),
        ("is ouranthe there yet", "is [PERSON] there yet"),
        ("you could try brivane", "you could try [PERSON]"),
        ("i can't find a tremlett", "i can't find a [PERSON]"),
        ("my interpreter mr haile will be on the call", "my interpreter mr [PERSON] will be on the call"),
    ],
)
def test_a_name_of_no_list_is_told_by_its_neighbours(text: str, public: str) -> None:
    assert said(text) == public


@pytest.mark.parametrize(
    "text",
    [
        "is it near the wagamama or the trustpilot office",
        "i'm with vodafone so the line is poor",
        "that would be marvellous",
        "it's about the parking permits",
        "i've been under Mr Khan since May",
        "my sat nav says eleven minutes",
        "the lorry was blocking the road",
        "it's for a mortgage, they want a letter",
        "you're through to Northgate Practice",
        "hmmm, with the school run it's tricky",
        "pfft no chance",
        "okay hun lovely jubbly",
        "so errm what happens now",
        "good morning brookside how can i help",
        "does the wobbledeck clinic still run",
    ],
)
def test_other_words_of_no_list_stay(text: str) -> None:
    assert said(text) == text
