"""Words that depend on what they tell of."""

import os
import shlex


def counted(number: float, noun: str) -> str:
    """A number with its noun in the singular or plural: "1 epoch", "1.5 epochs", "2,000 epochs"."""
    return f"{number:,.15g} {noun}{'' if number == 1 else 's'}"


def quoted(word: str | os.PathLike[str]) -> str:
    """A word of a command as a shell reads it, `'it'"'"'s'`, in printable characters, `$'caf\\xe9'`."""
    plain = os.fspath(word)
    if plain.isprintable():
        return shlex.quote(plain)
    return "$'" + "".join(map(_in_quotes, os.fsencode(plain))) + "'"


def _in_quotes(byte: int) -> str:
    symbol = chr(byte)
    return f"\\x{byte:02x}" if byte >= 0x7F or byte < 0x20 else f"\\{symbol}" if symbol in "'\\" else symbol
