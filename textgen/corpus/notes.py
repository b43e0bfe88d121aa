"""What a user must be told of how texts were read: few lines also for many texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textgen.corpus.finding import Skipped
from textgen.corpus.reading import Text
from textgen.wording import counted

TEXTS = 10  # that are told one by one; all further ones together
NAMES = 3  # that stand for many


def of_texts(texts: Sequence[Text], results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What reading texts has shown: a line for each of the first, then one for all others and for each remark on them.

    Args:
        texts: all of them.
        results: of each, see `Text.result`.
    """
    read = list(zip(texts, results, strict=True))
    shown = [text.told(result) for text, result in read[:TEXTS]]
    rest = read[TEXTS:]
    if not rest:
        return shown
    remarks = ((remark.common or remark.text, text.name) for text, result in rest for remark in text.remarks(result))
    characters = counted(sum(result["characters"] for _, result in rest), "character")
    return [
        *shown,
        f"and {counted(len(rest), 'more text')}: {characters}",
        *(f"{len(names):,} of these {remark}{such_as(names)}" for remark, names in grouped(remarks).items()),
    ]


def passed_over(skipped: Sequence[Skipped]) -> list[str]:
    """What was passed over: each by name, or, where there is much, a line for each reason with the first names."""
    lines = []
    for why, names in grouped((item.why, item.name) for item in skipped).items():
        if len(names) <= NAMES:
            lines += [f"passed over: {name} ({why})" for name in names]
        else:
            lines.append(f"passed over: {len(names):,} ({why}){such_as(names)}")
    return lines


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names by what is said of them, in the order in which it is said first."""
    groups: dict[str, list[str]] = {}
    for said, name in pairs:
        groups.setdefault(said, []).append(name)
    return groups


def such_as(names: Sequence[str]) -> str:
    """The names, the first of many."""
    return f"{': ' if len(names) <= NAMES else ', such as '}{', '.join(names[:NAMES])}"
