"""Addresses in an unusual order or form, and the talk that sounds like them. All are invented."""

import pytest

from compliance.redaction import redact

MASKED = [
    # numbers that are more than a number
    "it's {sixteen and a half market street}",
    "we're at {112 and a half Elm Road, Leeds}",
    "deliver it to {twelve to fourteen high street, ludlow}",
    "the shop's {3 and 5 Kestrel Way, Corby}",
    "{forty one through forty three maple avenue} please",
    # the number behind the street, or the house before it
    "I'm on {Larkspur Close, number 9}",
    "we live on {bramley road, number fourteen}",
    "it's {Tanner's Row number 6b, Ely}",
    "{Penny Lane Cottages, number two}, is where I am",
    "drop it round at {number six brackenhurst} if you can",
    "pick me up from {number twelve thornfield} at nine",
    # an ordinary word and an ordinary kind of street, before a town
    "we spend the summer at {nine lobster court portland maine}",
    "they've moved to {eleven feather close, Swindon}",
    "she's at {four marigold walk colchester} now",
    "my office is {two paris square}",
    # words of every day behind a number: what it counts would stand in the plural
    "{four elder grove}",
    "you've got {sixty three partridge wood close} but that's old",
    "{thirty two elm tree close} {b s sixteen seven q t}",
    "{two mill cottages mill road great gransden} {s g nineteen three a g}",
    # a name by what stands before or behind it
    "my neighbour at {12 Fenwick} took it in",
    "{800 Sycamore, apt 12}",
    "{6 Frobisher, off Drake Road}",
    "{730 Rue Saint-Denis, Montreal}",
    "{2/1, 45 Dumbarton Road, Glasgow}",
    "it's {number forty on Sandpiper Crescent}",
    "my door number's {eighty seven} and the postcode's {M14 6PL}",
    "{Pen y Bryn, Llanrwst}, {T12 AB37}",
    "{nineteen station cottages}",
    "we're {twelve Kingsmead}, over the hill",
    "{two thousand and six Larkspur Trail} is where I live",
    "{tower B, 1602, Canary View}",
    "a letter to {post office box twelve twelve, Sitka} please",
    "is it {fifteen or fifty Mill Street}",
    "she's on the {second floor left, 20 Grafton Way}",
    "I live in {Aberystwyth}, by the sea",
    "what's the street called\n{Snow Hill}",
    "I moved to {Garland, Texas} in the spring",
    "{flat 9, Tower C, Sea Breeze Apartments, Mumbai}",
    "what suburb\n{Paddington}",
    "its {nine orchard end} not {nineteen}",
    "I'm in {apartment 904 at the Lumina}",
    # rows of houses, and what stands behind something else
    "her address is {six station hill bungalows}",
    "he lives at {four canal side cottages rear of nineteen bridge street}",
    "it's {three railway cottages, off Mill Lane, Tring}",
    "he's at {Flat 3, rear of 18 Church Road, Hove}",
    "we're {the annexe, back of 7 Orchard Road}",
    "{5 1/2 Main Street, Ithaca}",
    "we're at {N7834 Town Line Road, Fond du Lac}",
    "my address is {Gorsey Bank Farm, Longnor}",
    "pick me up from {the Royal Oak on Chapel Street}",
    "I used to be on {Inkerman Drive}",
    "it needs to go to {Cefn Coed, Llanfihangel}",
    "the house number on the form is wrong, it should be {118}, not {108}",
    "we're at {Rowan House on Priory Road}",
    "send it to {4th floor, 55 Colmore Row}",
    "it's {sixteen saint anne's well road}",
    "house number and postcode please\n{a hundred and six} and it's {l e two seven j n}",
    "my address is {flat nine b marlowe court} no hang on {nine d}",
    "{eleven b stroke two marchmont street}",
    "{Ferndale Road}, I think it's number {twenty}",
    "{the old police house, Tattenhall}",
    # a correction of a street
    "it should say {east mount road} not {east moor road}",
    "you've written {larch avenue} not {larch grove}",
    # floors, blocks and phases
    "I'm {seventh floor, number seven eleven, meridian tower, leeds}",
    "she's {lower ground, 14 Alma Road, Bristol}",
    "he's on the {twelfth floor, Kingfisher House, Salford}",
    "it's {block d flat nine rutherford tower} round the back",
    "{block three, apartment twelve, the foundry, sheffield docks}",
    "{plot six, phase three, Skylark Rise}, it isn't on the map yet",
    "{house nine, phase one, heron lea}",
    # America
    "{1400 Juniper Street SE, Unit 9, Atlanta}",
    "{88 Quince Avenue NW, Apt 4, Washington DC}",
    "{rural route four box eleven, pine bluff, arkansas}",
    "it's {RR 2 Box 118, Marshall, Texas}",
    "{star route box nineteen, cody, wyoming}",
    "send it to {HC 66 Box 12, Ely, Nevada}",
    "my address is {eighteenth street and third avenue, number four ten, unit six}",
    "he's at {West 9th Street and 6th Avenue, apartment 5}",
    # on the water, on a site
    "the boat's at {berth twelve, port solent}",
    "we're on {pontoon b berth six, gosport marina}",
    "the caravan's {pitch nineteen, sandy bay holiday park}",
    "I stay at {lot 14, Shady Pines trailer park, Ocala, Florida}",
    "{narrowboat Kingfisher, Braunston marina}",
    "{slip 14, Sausalito marina}",
    "{block J, room 14, Lenton campus}",
    # Wales, Ireland, Scotland
    "{Gwynfa, Ffordd Penmon, Llangoed}",
    "it's {Ty Mawr, Heol Las, Abergele}",
    "we're at {Tŷ Newydd, Llanfair Talhaiarn}",
    "send it to {Lôn Isaf, Bethesda}",
    "I'm at {Cnoc Mor, Baile Beag, Galway}",
    "she's at {Taigh na Coille, Plockton}",
    # towns of two words and of no list
    "{Heather Cottage, Nether Green, Castle Acton}",
    "post it to {the rectory, green lane, castle dunford}",
    "it's {flat nine, coronation house, gloucester docks}",
    "the form goes to {flat nine, wellington house, beech}",
    "{oakleigh farm, thornby}, {n n six eight q a}",
    # a house that is called so
    "you want the house name {wychwood, station road}",
    "the house name's {Hazeldene, 4 Mill Lane}",
    "it's {Ivy Cottage}, love",
    "Really. {The Old Post Office, Barsham Road}.",
]
KEPT = [
    "it's on the third floor, number eight's ringing",
    "ten to twelve on Friday works",
    "Agent: We're on the left coming from the station, next to the bakery.\nCaller: oh the bakery, i know it",
    "do you know how to find us\nwe're next to the chapel\noh the chapel yes",
    "I work down the docks, number one crane",
    "do you mean the Mill Road surgery or the Hill Street one",
    "two and a half hours in the car",
    "it takes an hour and a half to Leeds",
    "nine and a half, size nine and a half shoes",
    "between twelve and fourteen people were waiting",
    "the traffic's down to one lane, number two's the worst",
    "I've got three close friends in Reading",
    "we went to four court hearings",
    "one park space would do",
    "I'd walk, not drive, to the clinic",
    "it was a drive not a walk",
    "the tenth floor is closed today",
    "it's on the sixth floor, number four lift is quickest",
    "we had a box, number eighteen, at the opera",
    "catch route three, box office is on the left",
    "it's phase two of the trial",
    "house rules, phase one and so on",
    "the lower ground has the toilets",
    "there's a port in the wall for my charger",
    "I was number eight in the queue",
    "we need two cottages for the holiday",
    "the back of the card",
    "it's off the high street",
    "first and second visits are free",
    "lot of people in the park today",
    "it's thirty bucks each way",
    "I did a ten mile run past two storey places",
    "there are four green park benches",
    "a two bed place with a ten year lease",
    "the gate at ten doors close behind you",
    "what's the pitch like for the football",
    "where is she?\nshe's in the annexe of the sheltered flats",
    "she works in the post office opposite the green",
]


def _marked(said: str) -> tuple[str, str]:
    """What is said, and what may be published of it."""
    public = "".join(part.split("}")[-1] for part in said.split("{"))
    return said.replace("{", "").replace("}", ""), public


@pytest.mark.parametrize("said", MASKED)
def test_an_address_in_an_unusual_form_is_masked(said: str) -> None:
    words, public = _marked(said)
    assert redact(words).replace("[REDACTED: ADDRESS]", "").replace("[REDACTED: POSTCODE]", "") == public


@pytest.mark.parametrize("said", KEPT)
def test_talk_that_sounds_like_an_address_is_kept(said: str) -> None:
    assert redact(said) == said
