"""Fonts for text in pictures."""

from collections.abc import Iterable
from typing import Any

# The first has most alphabets; the others, if installed, add Chinese, Japanese and Korean.
FAMILIES = (
    *("DejaVu Sans", "Noto Sans CJK JP", "Source Han Sans", "Hiragino Sans", "Yu Gothic", "IPAexGothic", "IPAGothic"),
    *("TakaoPGothic", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS"),
)


def drawable(text: str) -> tuple[str, list[str]]:
    """The text with ? for each character that no installed font has, and the font families that have the others."""
    from matplotlib.font_manager import findfont, get_font, get_font_names

    families = [name for name in FAMILIES if name in get_font_names()]
    fonts = [get_font(findfont(name)) for name in families]
    return "".join(symbol if _has(fonts, symbol) else "?" for symbol in text), families


def _has(fonts: Iterable[Any], symbol: str) -> bool:
    return symbol.isprintable() and any(font.get_char_index(ord(symbol)) for font in fonts)
