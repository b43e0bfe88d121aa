"""The words of a text, as stylometry counts them."""

import re

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # letters, with apostrophes inside
# Letters of scripts that put no space between words: Thai, Lao, Myanmar, Khmer, kana, Han.
UNSPACED = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> list[str] | None:
    """The words of a text, in lower case; None where most letters are of scripts that do not part words."""
    found = WORD.findall(text)
    if 2 * len(UNSPACED.findall(text)) > sum(map(len, found)):
        return None
    return [word.lower().replace("’", "'") for word in found]
