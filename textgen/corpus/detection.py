"""Guesses the encoding of bytes that are not Unicode."""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import takewhile
from typing import NamedTuple

RULES = 2  # the number of the rules below; a change of them makes what was guessed before void
TIED = 0.95  # times the detector's confidence in the best that a rival must reach to be told
LONE = 25  # bytes of the lines looked at for each that is not ASCII, if these are to be a few lone ones
USUAL = 0.01  # share of letters, spaces and newlines that a text in UTF-16 has at least
KANA = 0.2  # share of kana that tells Japanese UTF-16, which may have no zero byte

CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))

# Code pages of which one has more letters, and reads most texts of the other as it does.
LARGER = {
    "ascii": "cp1252",
    "iso8859_1": "cp1252",
    "iso8859_15": "cp1252",
    "iso8859_2": "cp1250",
    "iso8859_6": "cp1256",
    "iso8859_7": "cp1253",
    "iso8859_8": "cp1255",
    "iso8859_9": "cp1254",
    "iso8859_13": "cp1257",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
}
ISO_2022 = ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_ext", "iso2022_kr")
_ISO_2022 = re.compile(rb"\x1b(?:\$(?:[@AB]|\([@-DO-Q]|\)C)|\(I)")
_HZ = re.compile(rb"~\{((?:[\x21-\x77][\x21-\x7e])+)~\}")
_HZ_COMMON = bytes([*range(0x21, 0x24), *range(0x30, 0x58)])  # first bytes of punctuation and of the common hanzi
# Where a language that hardly needs them has the characters of cp1252: letters among letters of their size, quotation
# marks at words' ends, an apostrophe at a word, signs beside what they belong to.
_SMALL, _CAPITAL = "àáâäåæçèéêëíîïñóôöøùúûüßœ", "ÀÁÂÄÅÆÇÈÉÊËÍÎÏÑÓÔÖØÙÚÛÜŒ"
_WESTERN = re.compile(
    rf"(?<![A-Z])[{_SMALL}](?![A-Z])|(?<![a-z])[{_CAPITAL}]|’(?=\w)|(?<=\w)’|(?<!\w)[‘“„«‹]|(?<=\S)[”»›]"
    "|[–—…·•§©®™†‡\xa0]|[£€¥¿¡](?=[ \xa0]?\\w)|(?<=[\\d ])[°£€ªº½¼¾²³×±]"
)
_USUAL = re.compile(r"[A-Za-z \t\r\n,.、。，　ぁ-ヿ]")
_KANA = re.compile(r"[ぁ-ヿ]")
_WORD = re.compile(r"[^\W\d_]*[^\W\d_\0-\x7f][^\W\d_]*")  # one that is not all ASCII
_OTHER = "[\u0370-\u06ff\ufb1d-\ufefc]"  # Greek, Cyrillic, Armenian, Hebrew, Arabic
_MIXED = re.compile(rf"[A-Za-z]{_OTHER}|{_OTHER}[A-Za-z]")


class Guess(NamedTuple):
    """The most likely encoding, and a rival that is nearly as likely and reads the text differently, if any."""

    name: str
    rival: str | None = None


@cache
def guesser() -> str:
    """The name and version of the detector, whose guesses may differ from those of others."""
    return f"{RULES}, chardet {version('chardet')}"


def guess(sample: bytes) -> Guess | None:
    """The most likely encoding of lines that are not Unicode; None if none fits.

    Args:
        sample: whole lines, each with at least one byte above 127.
    """
    sample = sample.translate(None, CONTROLS)  # of which one is enough for the detector to see no text at all
    if _is_western(sample):
        return Guess("cp1252")
    candidates = list(_candidates(sample))
    likely = iter([found for found in candidates if not _mixes_scripts(sample, found[0])] or candidates)
    first = next(likely, None)
    if first is None:
        return None
    name, confidence = first
    reads = _strictly(sample, name)
    near = takewhile(lambda other: other[1] >= TIED * confidence, likely)
    return Guess(name, next((other for other, _ in near if _strictly(sample, other) != reads), None))


def _candidates(sample: bytes) -> Iterator[tuple[str, float]]:
    """The encodings that decode a sample, most likely first, with the detector's confidence."""
    import chardet

    eras = chardet.EncodingEra.ALL & ~chardet.EncodingEra.MAINFRAME
    seen = set()
    for found in chardet.detect_all(sample, encoding_era=eras, compat_names=False, max_bytes=max(1, len(sample))):
        if found["encoding"] is not None:
            name = _larger(sample, codecs.lookup(found["encoding"]).name.replace("-", "_"))
            if name not in seen and not name.startswith("utf") and _strictly(sample, name) is not None:
                seen.add(name)
                yield name, found["confidence"]


def _mixes_scripts(sample: bytes, name: str) -> bool:
    """Whether an encoding makes words of two alphabets, of more than a quarter of those that are not all ASCII."""
    words = _WORD.findall(_strictly(sample, name) or "")
    return 4 * sum(_MIXED.search(word) is not None for word in words) > len(words)


def _larger(sample: bytes, name: str) -> str:
    """The larger code page, where it reads a sample as well."""
    larger = LARGER.get(name)
    if larger is None:
        return name
    reads = _strictly(sample, larger)
    alike = reads is not None if larger == "cp932" else reads == _strictly(sample, name)
    return larger if alike else name


def _strictly(sample: bytes, name: str) -> str | None:
    """A sample decoded, but for a character that its end cuts; None where it is not of this encoding."""
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(sample)
    except (UnicodeError, LookupError):
        return None


def _is_western(sample: bytes) -> bool:
    """Whether a sample is ASCII but for a few bytes which make sense in cp1252: they speak for no other alphabet."""
    few = len(sample) - len(sample.decode("ascii", "ignore"))
    if few > max(2, len(sample) // LONE):
        return False
    reads = _strictly(sample, "cp1252")
    return reads is not None and _WESTERN.sub("", reads).isascii()


def by_escapes(sample: bytes) -> str | None:
    """The encoding that writes other scripts in ASCII with escape sequences; None if a sample has none of them."""
    if _ISO_2022.search(sample):
        for name in ISO_2022:
            reads = _strictly(sample, name)
            if reads is not None and "\x1b" not in reads and not reads.isascii():
                return name
    runs = _HZ.findall(sample)
    firsts = b"".join(run[::2] for run in runs)
    common = len(firsts) - len(firsts.translate(None, _HZ_COMMON))  # "~{" is also a directive of Lisp's `format`
    if runs and 10 * common >= 8 * len(firsts) and 10 * len(runs) >= 9 * sample.count(b"~{"):
        return "hz" if _strictly(sample, "hz") is not None else None
    return None


def wide(head: bytes) -> str | None:
    """The encoding of a text in UTF-16 or UTF-32 that has no byte order mark; None if it is in neither.

    The bytes of other texts seldom make so many letters, spaces and newlines, and those of pictures and programs make
    characters that there are not. ASCII with some zeros in it is no text, unless it is Japanese.
    """
    head = head[: len(head) // 4 * 4]
    others = head.translate(None, b"\0")
    if 10 * len(others) > 6 * len(head) and (len(others) == len(head) or others.isascii()):
        shares = {name: _share(head, name, _KANA) for name in ("utf_16_le", "utf_16_be")}
        name = max(shares, key=shares.__getitem__)
        return name if shares[name] >= KANA else None
    for names in (("utf_32_le", "utf_32_be"), ("utf_16_le", "utf_16_be")):
        shares = {name: _share(head, name, _USUAL) for name in names}
        name = max(shares, key=shares.__getitem__)
        if shares[name] >= USUAL:
            return name
    return None


def _share(head: bytes, name: str, wanted: re.Pattern[str]) -> float:
    """The share of wanted characters in what an encoding makes of bytes; 0 where it makes no text of them."""
    reads = _strictly(head, name)
    return 0.0 if not reads or "\0" in reads else len(wanted.findall(reads)) / len(reads)
