"""What a call asks of its texts → the rules that they keep to."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from textgen.arguments import PATH, expect, strings
from textgen.config import NO_COPY, NO_REPEAT, Reading
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import UNKNOWN
from textgen.generation.constraints import Alphabet, Ban, NoRepeat, Rule
from textgen.generation.copying import NoCopy, other_text, own_text
from textgen.generation.matching import Pattern
from textgen.generation.seed import normalised
from textgen.model_file import Description

Against = str | Path | Corpus


class RuleOptions(TypedDict, total=False):
    """What a text must keep to, as keyword arguments; None, and nothing in `ban`, ask for nothing."""

    only: str | None
    without: str | None
    ban: str | Sequence[str]
    no_repeat: int | None
    no_copy: int | None
    against: Against | Sequence[Against]
    match: str | None


def rules(
    description: Description,
    length: int,
    *,
    only: str | None = None,
    without: str | None = None,
    ban: str | Sequence[str] = (),
    no_repeat: int | None = None,
    no_copy: int | None = None,
    against: Against | Sequence[Against] = (),
    match: str | None = None,
) -> list[Rule]:
    """The rules for texts of at most `length` characters, in the order in which they are applied.

    Args:
        description: the description of the model.
        length: the maximum number of characters.
        only: the characters to use only.
        without: the characters never to use.
        ban: strings never to generate, not even if they begin in the seed.
        no_repeat: the number of characters in a row that never occur twice, in seed and text together.
        no_copy: the number of characters in a row that never occur in the texts of `against`; the last characters of
            the seed count too.
        against: files, folders, archives or a `Corpus`; if empty, the training text of the model.
        match: a regular expression, in Python's syntax, that the whole text matches, without the seed.

    Raises:
        CorpusError: a text of `against` cannot be read or is in another script, or the training text is not found.
        SeedError: there are thousands of combining marks in a row.
        ValueError: an argument is out of its range, empty, contradicts another, or leaves nothing to write.
        TypeError: an argument is of a wrong type.
    """
    vocabulary, text = description.vocabulary, description.text
    expect("only", only, str | None)
    expect("without", without, str | None)
    found: list[Rule] = []
    alphabet = Alphabet.of(
        vocabulary, only=only, without=without, normalisation=text.normalisation, replacement=text.replacement
    )
    if only is not None or without is not None:
        found.append(alphabet)
    if banned := strings("ban", ban):
        found.append(_ban(banned, description))
    if no_repeat is not None:
        found.append(NoRepeat(NO_REPEAT.check("no_repeat", no_repeat), len(vocabulary)))
    others = _listed(against)
    if no_copy is not None:
        n = NO_COPY.check("no_copy", no_copy)
        read = [other_text(_read(item, description), description) for item in others] or [own_text(description)]
        found.append(NoCopy(n, read, len(vocabulary)))
    elif others:
        raise ValueError("`against` needs `no_copy`, which says how many characters in a row may not be the same")
    if found and text.replacement is not None and found[0] is not alphabet:
        found.insert(0, alphabet)  # so that the others do not leave what is never written
    if match is not None:
        expect("match", match, str)
        composed = match if text.unicode == "none" else unicodedata.normalize("NFC", match)
        pattern = Pattern(composed, vocabulary.symbols, alphabet.mask)
        pattern.check(length)
        found.insert(0, pattern)  # it always leaves something until its end, so that what ends a text early is told
    return found


def _ban(banned: Sequence[str], description: Description) -> Ban:
    """What is banned, without what has a character that the model does not know, and never writes."""
    known = []
    for place, item in enumerate(banned):
        if not item:
            raise ValueError(f"`ban[{place}]` must have at least one character")
        codes = description.vocabulary.lookup(normalised(f"`ban[{place}]`", item, description.text.normalisation))
        if UNKNOWN not in codes:
            known.append(codes.tolist())
    return Ban(known, len(description.vocabulary))


def _listed(against: Against | Sequence[Against]) -> list[Against]:
    """The texts of `against`; `TypeError` for what is none."""
    if isinstance(against, PATH | Corpus):
        return [against]
    expect("against", against, PATH | Corpus | Sequence)
    items: Any = against
    for place, item in enumerate(items):
        expect(f"against[{place}]", item, PATH | Corpus)
    return list(items)


def _read(text: Against, description: Description) -> Corpus:
    """A text of `against`, normalised as the model's was."""
    if isinstance(text, Corpus):
        return text
    unicode, lowercase = description.text.unicode, description.text.lowercase
    return Corpus.from_files(text, reading=Reading(unicode=unicode, lowercase=lowercase))
