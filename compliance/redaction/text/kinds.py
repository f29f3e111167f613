"""What a token can be, as bits, so that most words are passed over by one comparison."""

from typing import Final

END: Final = 1 << 0
"""No token: the turn has ended before it."""
DIGITS: Final = 1 << 1
"""A string of decimal digits of any script."""
NUMERAL: Final = 1 << 2
"""A number word: "seven", "oh", "fifteen", "forty", "hundred"."""
REPEAT: Final = 1 << 3
"""Repeats the next digit or letter: "double", "triple"."""
LETTER: Final = 1 << 4
"""One letter on its own."""
PHONETIC: Final = 1 << 5
"""A word of the spelling alphabet: "Sierra"."""
HOMOPHONE: Final = 1 << 6
"""A letter or digit as a recogniser writes it out: "ess", "tree"; read as one only where one is asked for."""
PAUSE: Final = 1 << 7
"""A filler or mark that may stand inside a number, a code or a spelling."""
MONTH: Final = 1 << 8
ORDINAL: Final = 1 << 9
TERM: Final = 1 << 10
"""The first word of a medical term, in any form."""
BODY: Final = 1 << 11
"""A part of the body."""
COMPLAINT: Final = 1 << 12
"""What can be wrong with a part of the body, or be done to it."""
FIRST: Final = 1 << 13
"""A first name that is hardly ever another word."""
MAYBE: Final = 1 << 14
"""A first name that is a word or a place as well: "Grace", "Mark"."""
LAST: Final = 1 << 15
"""A surname."""
COMMON: Final = 1 << 16
"""An ordinary English word."""
STOP: Final = 1 << 17
"""A word that builds sentences; never part of a name, an address or an e-mail."""
CUE: Final = 1 << 18
"""May be the last word of a phrase that says what comes next."""
TITLE: Final = 1 << 19
"""Mr, Mrs, Miss: a name follows."""
DOCTOR: Final = 1 << 20
"""Dr, Professor, nurse: a name of the staff follows."""
RELATIVE: Final = 1 << 21
"""Somebody of the caller's: "my husband"."""
STREET: Final = 1 << 22
"""A kind of street."""
TOWN: Final = 1 << 23
DWELLING: Final = 1 << 24
"""Begins an address: "flat", "apartment"."""
SIGN: Final = 1 << 25
"""The sign in an e-mail address, written or spoken."""
LEAD: Final = 1 << 26
"""May stand between a question and its bare answer: "yes it's"."""
MODIFIER: Final = 1 << 27
"""Says of a complaint how it is: "severe", "chronic", "lower"."""
UNKNOWN: Final = 1 << 28
"""A word of no list."""
WORD: Final = 1 << 29
"""Begins with a letter."""

NUMBER: Final = DIGITS | NUMERAL | REPEAT
SPELLED: Final = LETTER | PHONETIC
PAIR: Final = 1 << 30
"""Two letters that build no sentence: "SW"."""
MARK: Final = 1 << 31
"""May stand before a number: a plus, a bracket, a currency."""
HARM: Final = 1 << 32
"""What happens to a part of the body: "broke"."""
ARTICLE: Final = 1 << 33
"""The article before a date."""
AT: Final = 1 << 34
"""Of a unit that holds the sign of an e-mail address."""
ALONE: Final = 1 << 35
"""A medical term by itself."""
IDIOM: Final = 1 << 36
"""May begin an idiom: "pain in the neck"."""
PLACE: Final = 1 << 37
"""A town by itself, not only the first word of one."""
SELDOM: Final = 1 << 38
"""A name that is seldom met here, and a word of no other list."""
RARER: Final = 1 << 39
"""An English word that is seldom said, of no other list."""
WAY: Final = 1 << 40
"""A street or a house may be called by this word: "lane", "wynd", "cottage"."""
NAMING: Final = 1 << 41
"""Says of the word before it that it is a name: "surname", "family"."""
TOLD: Final = 1 << 42
"""May begin what is said on of an ailment: "it's", "keeps"."""
JOIN: Final = 1 << 43
"""Stands for a sign within an e-mail address: "dot", "underscore"."""
ACRONYM: Final = 1 << 44
"""May begin the short name of something medical: "u t i", "TIA"."""
FRAMED: Final = 1 << 45
"""A phrase of what ails somebody may begin with this word: "can't", "keeps"."""
CONTINUES: Final = 1 << 46
"""A turn of such words alone asks to go on: "mm-hm", "go on"."""
SPEAKER: Final = 1 << 47
"""Of whoever speaks: "my", "I've"."""
EVERY: Final = (1 << 48) - 1
"""Of what may hold anything."""
