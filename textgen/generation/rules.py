"""What a call asks of its texts → the rules that they keep to."""

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from textgen.arguments import expect, strings
from textgen.config import NO_COPY, NO_REPEAT
from textgen.corpus.vocabulary import UNKNOWN
from textgen.description import Description
from textgen.generation.constraints import Alphabet, Ban, NoRepeat, Rule
from textgen.generation.matching import Pattern
from textgen.generation.seed import normalised

if TYPE_CHECKING:
    from textgen.generation.copying import Against


class RuleOptions(TypedDict, total=False):
    """What a text must keep to, as keyword arguments; None, and nothing in `ban`, ask for nothing."""

    only: str | None
    without: str | None
    ban: str | Sequence[str]
    no_repeat: int | None
    no_copy: int | None
    against: "Against | Sequence[Against]"
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
    against: "Against | Sequence[Against]" = (),
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
    if no_copy is not None or against not in ((), []):
        # Imported here, since what reads texts takes as long to import as all else that generates.
        from textgen.generation.copying import NoCopy, listed, others

        texts = listed(against)
        if no_copy is None:
            raise ValueError("`against` needs `no_copy`, which says how many characters in a row may not be the same")
        n = NO_COPY.check("no_copy", no_copy)
        found.append(NoCopy(n, others(texts, description), len(vocabulary)))
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
