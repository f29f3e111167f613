"""Answers of which a recogniser heard the half: what is masked begins and ends where the value does."""

import re

import pytest

from compliance.redaction import Redactor, find, redact

ANSWERS = [
    # dates: ordinals, months and figures as other words
    ("Could you give me her date of birth?", "", "thirtieth of the fifth ate e six", ""),
    ("day month and year of birth please", "", "twenty ate of the to forty won", ""),
    ("What's your date of birth?", "", "nine teen ate e free the sixth of august", ""),
    ("sorry, can I have the date of birth again", "", "fourteenth of a bit nineteen seventy two", ""),
    ("Your date of birth?", "", "the second of febuary nineteen ninety free", ""),
    ("Her date of birth?", "", "the ninth of disember to thousand and for", ""),
    ("When were you born?", "", "twenty first of march", " but I won't tell you the year"),
    # postcodes: a letter or two as a word
    ("And the postcode?", "", "any 12 for d x", ""),
    ("What's the postcode there?", "it's ", "be s three five t e", ""),
    ("could I get your postcode", "", "and w six one a b", ""),
    ("thank you, and the postcode there", "", "any one four are u", ""),
    ("and the name on the booking", "", "ger off ger off tent", ""),
    ("Your postcode?", "well ", "l s six free d p", ""),
    # names behind plain leads
    ("Who's it for?", "I'm ", "gor don bleu em", ""),
    ("Surname?", "", "out ram", ""),
    ("How do you spell that surname?", "", "em oh why oh", ""),
    # what begins like no answer, and holds a value all the same
    ("Could I have your full name?", "", "same goldberg", ""),
    ("And your full name, please?", "", "blessing and watch a crew", ""),
    ("What email can we send that to?", "", "see you dot band dike at me dot com", ""),
    ("Could you spell out your email?", "", "don't be underscore 2000 at hotmail dot com", ""),
    ("email please", "should be ", "the fergusons at sky dot com", ""),
    ("What's your address?", "", "the gables can now grow hampton", ""),
    ("How do you spell that?", "", "f for sugar, ph for hotel o f i e l v", ""),
    ("And who's the patient?", "me, ", "ezekiel lamb", ""),
    ("What number are you calling from?", "it's ", "one for three oh seven free nine", ""),
    ("And your maiden name?", "", "Robert and Robert and Robert and", ""),
    ("can you spell it please", "", "kay he a are an he why", ""),
    ("What's your name?", "", "Mrs. Father Gill", ""),
    ("And your surname?", "", "would head", ""),
    ("and your home address", "", "flat to were sly house chapel walk", ""),
    ("and the first line", "", "the old vicar ridge", ""),
    ("And your full name?", "", "Jerry Dean the lay knee", ""),
    ("street address", "", "ate oh two west hick or he lane", ""),
    ("And what's your email?", "", "R. Dot Sing. At hotmail. Dot com", ""),
    ("and an email address for the forms", "", "no reply bob at yahoo dot co dot you kay", ""),
    ("can i get the name again", "", "any yola adam sun", ""),
    ("what name is it under", "", "Abdullah, he wore things", ""),
    ("And your surname?", "this is ", "late. This is late", ""),
    ("What's your social security number?", "", "won too tree, for for, six seven ate nine", ""),
    ("ni number", "", "an be seven oh won to free for dee", ""),
    ("security code", "", "free too ate", ""),
    ("and the postcode there", "", "he see two a for be pea", ""),
    ("What's your name?", "", "You need a traditional", ""),
    ("Name of the patient?", "", "Not in Dempsey", ""),
    ("And the surname?", "", "Cardoso, the tofu bowl", ""),
    ("can you tell me the postcode", "", "which the gate looks like", ""),
    ("Date of birth?", "", "The force of the ambulance is 1981", ""),
    ("Sorry, what was the name?", "Oh, ", "fire deer", ""),
    ("your postcode please", "that's ", "why of 142 WS", ""),
    ("What's your email address?", "It's ", "not common. It's not common. It's not common", ""),
    # figures from the first on
    ("What's the best number?", "", "Oh, one, nine, oh five, for for too, six ten", ""),
    ("and a mobile number", "", "oh heaven four oh nine six two double tree one five", ""),
    ("And your phone number?", "", "oh seven ate won for too double free nine", ""),
    ("Date of birth?", "", "oh five oh ate two thousand won", ""),
    ("What's the postcode?", "", "why are four tea jay", ""),
]
NO_ANSWERS = [
    ("Could you spell that for me?", "spell what, I only said hello"),
    ("Date of birth?", "I'm sixty four next month"),
    ("Can you give me a phone number?", "the mobile's been stolen"),
    ("And the first line of the address?", "it's a new build so it may not come up"),
    ("What's your postcode?", "is parking free"),
    ("And your postcode, please?", "the signal is terrible in here"),
    ("And your postcode, please?", "okay but quickly because I'm at work"),
    ("Can I take your name?", "does the doctor need that"),
    ("Can I take your name?", "hmm good question"),
    ("And your email, please?", "the dog's eaten the letter"),
    ("Could I have the first line of your address?", "someone's at the door, hold on"),
    ("When were you born?", "maybe tomorrow"),
    ("Can I take your name?", "married or maiden"),
    ("And your surname?", "she'll tell you"),
    ("What's your name?", "it's a private matter"),
    ("And who's calling?", "do you really need it"),
    ("What's the last name?", "just tell me the price"),
    ("Date of birth?", "she's coming up to eighty"),
    ("When was he born?", "six weeks old"),
    ("What's your address?", "just round the corner from you"),
    ("And your address?", "we live on a boat"),
    ("Your email?", "it's a silly one"),
    ("What email should we use?", "the wifi's down"),
    ("And your surname?", "the signal's terrible here"),
    ("Can I take your name?", "it's a long one, have you got a pen"),
    ("What's your name?", "is this a real person"),
    ("Who's calling?", "I'm just getting off the bus"),
    ("And the name?", "she's called the same as me"),
    ("And the name?", "my lunch break's nearly over"),
    ("Who's calling?", "it's my first time calling"),
    ("And your number?", "two seconds, just getting it up"),
]


@pytest.mark.parametrize(("question", "before", "value", "behind"), ANSWERS)
def test_a_misheard_answer_is_masked_from_its_first_piece_to_its_last(
    question: str, before: str, value: str, behind: str
) -> None:
    text = f"Agent: {question}\nCaller: {before}{value}{behind}"
    start = text.rindex(value)
    masked = {place for begin, end, _ in find(text) for place in range(begin, end)}
    spoken = {place for place in range(start, start + len(value)) if text[place].isalnum()}
    assert spoken <= masked
    assert not masked & {*range(start), *range(start + len(value), len(text))}


@pytest.mark.parametrize(("question", "reply"), NO_ANSWERS)
def test_a_reply_without_a_value_is_kept(question: str, reply: str) -> None:
    assert redact(f"Agent: {question}\nCaller: {reply}").endswith(reply)


_PLACEHOLDER = re.compile(r"\[REDACTED: [A-Z_]+\]")
TOLD = [
    "her d o b's {twenty two eleven fifty four}",
    "it's {Malcolm}, {fourth of the second fifty one}",
    "you have {the second of the third} as my date of birth",
    "my health service number's {seven oh five double one six two two nine three}",
    "her social's {three three oh dash nineteen dash eight eight four one}",
    "it expires {june twenty twenty eight}, code {oh two six}",
    "on the back {oh oh seven}, that's the security code",
    "{Stone}, {Emma Stone}",
    "it's not me it's {jordan}, my brother",
    "we're the {abernathys}",
    "everyone calls me {dusty}",
    "what's your surname? {smith}, just {smith}",
    "I'm {rose}, I'm new",
    "I'm {6/6/66}, easy to remember",
]
UNTOLD = [
    "it expires 31 December 2026, plenty of time",
    "take the number nine and then the one four one",
    "my screen says 192.168.0.1 and nothing else",
    "when's Mr Ashworth next in clinic",
    "Miss Delacroix, the consultant, has a secretary",
    "we were in the pub opposite, the George something",
    "the victoria line's down again",
    "I've lost my voice mail password",
    "I can't leave the house till he's been",
    "the meter said 00418",
    "I'm frank, it's too dear",
]


@pytest.mark.parametrize("said", TOLD)
def test_what_is_told_with_its_kind_is_masked(said: str) -> None:
    shown = _PLACEHOLDER.sub("", redact(said.replace("{", "").replace("}", "")))
    assert shown == "".join(part.split("}")[-1] for part in said.split("{"))


@pytest.mark.parametrize("said", UNTOLD)
def test_what_only_sounds_so_is_kept(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(
    ("first", "question", "rest"),
    [
        ("SK8", "And the second part?", "four n x"),
        ("l l five seven two", "and the last two letters", "d g"),
        ("six oh six", "go on", "one four"),
    ],
)
def test_the_rest_of_a_postcode_may_come_in_the_next_turn(first: str, question: str, rest: str) -> None:
    call = f"Agent: Postcode?\nCaller: {first}\nAgent: {question}\nCaller: {rest}"
    assert redact(call).count("[REDACTED: POSTCODE]") == len([first, rest])


def test_a_turn_given_at_its_end_is_read_like_one_fed_before() -> None:
    text = "my name is Ann Lee\nI live at 14 Elm Road, Leeds, and my knee hurts"
    fed, given = Redactor(), Redactor()
    assert fed.feed(text) + fed.flush() == given.flush(text)
    assert fed.spans == given.spans
