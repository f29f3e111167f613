"""The number that a clinic's callers ring in an emergency, by the country whose time zone it keeps. Pure.

112 is the Union's by Directive (EU) 2018/1972, article 109; Switzerland, the EEA and Europe's small states
answer it too. The other numbers are those of the national numbering plans. Zones as the IANA time zone
database gives them to countries (2026), former names too.
"""

from collections.abc import Mapping
from typing import Final

UNKNOWN: Final = "the emergency number"

_FAMILIES: Final[Mapping[str, str]] = {
    "America/Indiana/": "911",
    "America/Kentucky/": "911",
    "America/North_Dakota/": "911",
    "Australia/": "000",
    "Canada/": "911",
    "US/": "911",
}
_ZONES: Final[Mapping[str, str]] = {
    "999 or 112": """
        Eire Europe/Belfast Europe/Dublin Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB
        GB-Eire
    """,
    "911": """
        America/Adak America/Anchorage America/Atikokan America/Atka America/Blanc-Sablon America/Boise
        America/Cambridge_Bay America/Chicago America/Creston America/Dawson America/Dawson_Creek
        America/Denver America/Detroit America/Edmonton America/Fort_Nelson America/Fort_Wayne
        America/Glace_Bay America/Goose_Bay America/Halifax America/Indianapolis America/Inuvik
        America/Iqaluit America/Juneau America/Knox_IN America/Los_Angeles America/Louisville
        America/Menominee America/Metlakatla America/Moncton America/Montreal America/New_York
        America/Nipigon America/Nome America/Pangnirtung America/Phoenix America/Puerto_Rico
        America/Rainy_River America/Rankin_Inlet America/Regina America/Resolute America/Shiprock
        America/Sitka America/St_Johns America/St_Thomas America/Swift_Current America/Thunder_Bay
        America/Toronto America/Vancouver America/Virgin America/Whitehorse America/Winnipeg America/Yakutat
        America/Yellowknife Navajo Pacific/Guam Pacific/Honolulu Pacific/Johnston Pacific/Pago_Pago
        Pacific/Saipan Pacific/Samoa
    """,
    "112": """
        Africa/Ceuta Arctic/Longyearbyen Asia/Famagusta Asia/Nicosia Atlantic/Azores Atlantic/Canary
        Atlantic/Faeroe Atlantic/Faroe Atlantic/Jan_Mayen Atlantic/Madeira Atlantic/Reykjavik
        Europe/Amsterdam Europe/Andorra Europe/Athens Europe/Berlin Europe/Bratislava Europe/Brussels
        Europe/Bucharest Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Helsinki
        Europe/Lisbon Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Mariehamn
        Europe/Monaco Europe/Nicosia Europe/Oslo Europe/Paris Europe/Prague Europe/Riga Europe/Rome
        Europe/San_Marino Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vaduz Europe/Vatican
        Europe/Vienna Europe/Vilnius Europe/Warsaw Europe/Zagreb Europe/Zurich Iceland Poland Portugal
    """,
    "111": "NZ NZ-CHAT Pacific/Auckland Pacific/Chatham",
}
_NUMBERS: Final[Mapping[str, str]] = {
    zone: number for number, zones in _ZONES.items() for zone in zones.split()
}


def emergency_number(time_zone: str) -> str:
    """As an agent is told it; `UNKNOWN` for a zone of no country that is known here."""
    family = (number for start, number in _FAMILIES.items() if time_zone.startswith(start))
    return _NUMBERS.get(time_zone) or next(family, UNKNOWN)
