"""Notes for the user on how texts were read; few lines even for many texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textgen.corpus.finding import Skipped
from textgen.corpus.reading import Text
from textgen.corpus.removal import Removed
from textgen.wording import counted

TEXTS = 10  # that get a line each; all others share lines
NAMES = 3  # that are named of many
MUCH = 0.3  # share of a text: if more was removed, the user should check what is left


def of_texts(texts: Sequence[Text], results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Notes on texts: a line for each of the first, then one for all others and one for each remark on them.

    Args:
        texts: all of them.
        results: of each, see `Text.result`.
    """
    read = list(zip(texts, results, strict=True))
    stripped = [(text.name, result["characters"], Removed(**result["removed"])) for text, result in read if text.strip]
    return [*_each(read[:TEXTS]), *_together(read[TEXTS:]), *_stripped(stripped)]


def too_much(left: int, removed: Removed) -> str:
    """The share of a text that was removed, if it is large; else empty."""
    whole = left + removed.characters
    if removed.characters <= MUCH * whole:
        return ""
    return (
        f"{100 * removed.characters / whole:.0f} % of the text, {removed.characters:,} of {counted(whole, 'character')}"
    )


def nothing_found(names: Sequence[str]) -> list[str]:
    """A note on texts that had nothing to strip."""
    if not names:
        return []
    where = f"{len(names):,} texts{such_as(names)}" if len(names) > NAMES else ", ".join(names)
    return [f"nothing to strip was found in {where}"]


def _stripped(texts: Sequence[tuple[str, int, Removed]]) -> list[str]:
    """Notes on stripped texts, each with its name, the characters left, and what was removed."""
    framed = [f"removed from {name}: {words}" for name, _, removed in texts if (words := removed.words())]
    much = [(name, share) for name, left, removed in texts if (share := too_much(left, removed))]
    warnings = [f"warning: `strip` removed a large part of {name}: {share}" for name, share in much]
    if len(much) > NAMES:
        such = such_as([name for name, _ in much])
        warnings = [f"warning: `strip` removed more than {100 * MUCH:.0f} % of each of {len(much):,} texts{such}"]
    return [*framed[:NAMES], *warnings, *nothing_found([name for name, _, removed in texts if not removed.library])]


def _each(read: Sequence[tuple[Text, Mapping[str, Any]]]) -> list[str]:
    return [text.told(result) for text, result in read]


def _together(rest: Sequence[tuple[Text, Mapping[str, Any]]]) -> list[str]:
    if not rest:
        return []
    remarks = ((remark.common or remark.text, text.name) for text, result in rest for remark in text.remarks(result))
    characters = counted(sum(result["characters"] for _, result in rest), "character")
    return [
        f"and {counted(len(rest), 'more text')}: {characters}",
        *(f"{len(names):,} of these {remark}{such_as(names)}" for remark, names in grouped(remarks).items()),
    ]


def passed_over(skipped: Sequence[Skipped]) -> list[str]:
    """What was skipped: each by name, or, where there is much, a line for each reason with the first names."""
    lines = []
    for why, names in grouped((item.why, item.name) for item in skipped).items():
        if len(names) <= NAMES:
            lines += [f"skipped: {name} ({why})" for name in names]
        else:
            lines.append(f"skipped: {len(names):,} ({why}){such_as(names)}")
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
