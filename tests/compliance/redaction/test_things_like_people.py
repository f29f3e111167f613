"""Shops, figures and things that sound like people or illness; complaints in whole phrases; all invented."""

import pytest

from compliance.redaction import redact

KEPT = [
    "we saw a shadow on the wall of the car park",
    "rushing to the bathroom showroom before it closes",
    "bags under my arm and a pushchair",
    "my phone's like a brick",
    "I'm off work with the builders in",
    "milk and eggs from the shop",
    "the letters look a bit small on the form",
    "it spread to the whole office, the rumour",
    "I think people are waiting outside",
    "she's fitting us in at nine",
    "the food's gone off in the fridge",
    "the door shut on its own",
    # called like people
    "I'll get it from Holland and Barrett",
    "we met in the slug and lettuce",
    "is the Dorothy Perkins still there",
    "i've been to john lewis and boots and i'm worn out with shops",
    "I popped to Laura Ashley on the way",
    "I'll be in the Caffe Nero opposite",
    "it's the Vauxhall Zafira with the lights on",
    "Harry Potter stuff all over the waiting room",
    "it's like something out of Fawlty Towers",
    "she thinks she's Florence Nightingale",
    "the Mona Lisa picture in the hall",
    "we parked by the statue of Queen Victoria",
    "he robbed Peter to pay Paul",
    "I don't know him from Adam",
    "Alexa put it on my calendar",
    # people by what they do, and who works there
    "I'm really sorry, my childminder's let me down",
    "our lodger's car is in the way",
    "the groundsman's locked the gate",
    "who's covering for Mr Boateng",
    "I spoke to the secretary to Mr Lindqvist",
    "when's Mr Ashworth next in clinic",
    # countries
    "do we need visas for Georgia",
    "is there a flight for Jordan that day",
    # things and idioms
    "there's a cold tap in the toilet",
    "can you catch a cold drink from the machine",
    "it was a bit of a cold reception",
    "there's a temperature dial by the door",
    "it's running a virus scan",
    "she turned a blind eye to it",
    "my back's against the wall with this deadline",
    "i've lost my voice mail password",
    "my screen's gone dead",
    "the practice has gone downhill",
    "the app's had a bug since Monday",
    "there's a fracture in the wall above the door",
    "what a headache of a form",
    "before covid you could just walk in",
    "I've not been in since Covid",
    "Agent: Is there a group number on the card?\nCaller: Yes, it's 80042.",
    "Agent: What's the number on the ticket?\nCaller: four four oh nine one seven",
    "we'll be in the Prince Albert after",
    "ticket number's on the back it says zero zero four one seven nine two",
    "do you cover KT12",
    "my slot's moved to the 19th at 11:40",
    "who's the Mr Rahman on my letter",
    "Agent: Which number bus do you get?\nCaller: The 14 or the 22, whichever's first.",
    "Agent: What's the team called?\nCaller: Hartley Rovers.",
    "there are piles of magazines and the dog's being sick",
    # names of things
    "the policy number is AXP 771 2290 04",
    "they sent me to the royal victoria first",
    "the George is opposite, you can't miss it",
    "do they do Tom Ford glasses",
    "they did it at the john radcliffe",
    "open Mon-Thu 8 to 6",
    "Dr Van der Merwe is away",
    "is it Miss Delacroix on Thursday",
    "I had Lucy last time, the hygienist",
    "there's a robin on your windowsill",
    "rangers v celtic so the roads will be mad",
]
COMPLAINTS = [
    ("do i need typhoid for kenya", "do i need [MEDICAL] for kenya"),
    ("it's like knives when I swallow", "it's like [MEDICAL]"),
    ("I have to rush to the toilet", "I have to [MEDICAL]"),
    ("everything I eat goes straight through me", "everything I eat [MEDICAL]"),
    ("I can't hold it in", "I [MEDICAL]"),
    ("I'm all bunged up", "I'm all [MEDICAL]"),
    ("I can't switch off at night", "I [MEDICAL]"),
    ("I react to nuts", "I react to [MEDICAL]"),
    ("it's scaly behind my ears", "it's [MEDICAL]"),
    ("I can hear my heartbeat in my ear", "I can [MEDICAL] in my ear"),
    ("I go giddy when I stand up", "I go [MEDICAL] when I stand up"),
    ("my hands keep dropping things", "my [MEDICAL]"),
    ("he shuffles when he walks", "he [MEDICAL]"),
    ("the baby won't feed", "the [MEDICAL]"),
    ("I want the lines on my forehead gone", "I want the [MEDICAL] gone"),
    ("my hand's like a claw", "my [MEDICAL]"),
    ("my chest feels like someone's sitting on it", "my [MEDICAL]"),
    ("my foot's gone to sleep", "my [MEDICAL]"),
    ("I can't get my words out", "I [MEDICAL]"),
    ("a car door shut on her fingers", "a car [MEDICAL]"),
    ("light hurts my eyes", "[MEDICAL]"),
    ("it's spread to his liver", "it's [MEDICAL]"),
    ("he's not had a wet nappy", "he's [MEDICAL]"),
    ("food gets stuck", "[MEDICAL]"),
    ("my hip's bone on bone", "my hip's [MEDICAL]"),
    ("I've got a dicky tummy", "I've got a [MEDICAL]"),
    ("he had his appendix removed", "he had his [MEDICAL]"),
    ("a sore throat and swollen glands", "a [MEDICAL] and [MEDICAL]"),
    ("he's gone right downhill since the weekend", "he's [MEDICAL] since the weekend"),
    ("is it normal to get a headache with this tablet", "is it normal to get a [MEDICAL] with this tablet"),
]


@pytest.mark.parametrize("said", KEPT)
def test_what_sounds_like_a_person_or_an_illness_is_kept(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(("said", "public"), COMPLAINTS)
def test_a_complaint_in_a_whole_phrase_is_masked(said: str, public: str) -> None:
    assert redact(said).replace("[REDACTED: ", "[") == public


@pytest.mark.parametrize("name", ["Harry Potter", "James Bond", "John Lewis"])
def test_a_figures_name_is_masked_where_a_name_is_asked_for(name: str) -> None:
    assert redact(f"Agent: What's your name?\nCaller: {name}") == (
        "Agent: What's your name?\nCaller: [REDACTED: PERSON]"
    )
    assert redact(f"my name is {name}") == "my name is [REDACTED: PERSON]"
