"""Names of characters in messages."""

import unicodedata

# The control characters have no names; these are Unicode's abbreviations for them (NameAliases.txt).
ABBREVIATIONS = """
NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EOM SUB ESC FS GS RS US DEL
PAD HOP BPH NBH IND NEL SSA ESA HTS HTJ VTS PLD PLU RI SS2 SS3 DCS PU1 PU2 STS CCH MW SPA EPA SOS SGC SCI CSI ST OSC PM
APC
"""
CONTROLS = dict(zip([*range(0x20), *range(0x7F, 0xA0)], ABBREVIATIONS.split(), strict=True))
NAMELESS = {"Co": "private use", "Cn": "not assigned", "Cs": "unpaired surrogate"}


def code_point(symbol: str) -> str:
    """In Unicode's notation, `U+0041`."""
    return f"U+{ord(symbol):04X}"


def unicode_name(symbol: str) -> str:
    """In Unicode; a control character's abbreviation."""
    name = CONTROLS.get(ord(symbol)) or unicodedata.name(symbol, "")
    return name or f"({NAMELESS[unicodedata.category(symbol)]})"


def named(symbol: str) -> str:
    """As messages name it, `'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE)`; a mark stands on a circle."""
    circle = "◌" if unicodedata.category(symbol).startswith("M") else ""
    return f"{circle + symbol!r} ({code_point(symbol)} {unicode_name(symbol)})"


def first_named(symbols: list[str], most: int = 5) -> str:
    """The first of several characters, and how many more there are."""
    more = f" and {len(symbols) - most:,} more" if len(symbols) > most else ""
    return ", ".join([named(symbol) for symbol in symbols[:most]]) + more
