"""What of a text a model has seen in training: it knows its training text by the hashes of the texts that it was joined
from, so it knows a part of it too, in any order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from textgen.config import Reading
from textgen.corpus.corpus import Corpus, held_out
from textgen.corpus.normalisation import with_lf
from textgen.corpus.reading import Text
from textgen.description import Description, TextInfo
from textgen.wording import counted


@dataclass(frozen=True)
class Seen:
    """What a model has seen of a text.

    Attributes:
        known: how many of the texts that it was joined from are in the model's training text.
        of: how many there are.
        characters: those at its start that the model was trained on, if all texts are known; else those of the known
            texts. Exact unless normalisation has changed the length of the training text: then to a few in a thousand.
    """

    known: int
    of: int
    characters: int

    @property
    def whole(self) -> bool:
        """Whether all of it is training text, held out or not."""
        return 0 < self.known == self.of


def as_in_training(info: TextInfo) -> Callable[[list[Text], Reading], tuple[list[Text], Reading]]:
    """What has a model's training text, or a part of it, read in the order and way in which it was read in training."""

    def arrange(texts: list[Text], reading: Reading) -> tuple[list[Text], Reading]:
        places = _places(info, [text.sha256 for text in texts])
        if None in places or info.strip is None or info.separator is None:
            return texts, reading
        ordered = [text for _, text in sorted(zip(places, texts, strict=True), key=lambda pair: pair[0] or 0)]
        for text in ordered:
            text.strip, text.repair = info.strip, info.repair
        return ordered, replace(reading, strip=info.strip, repair=info.repair, separator=info.separator)

    return arrange


def seen(description: Description, corpus: Corpus) -> Seen:
    """What a model has seen of a text that was read with `as_in_training`."""
    info = description.text
    places = _places(info, [sha256 for sha256, _ in corpus.texts])
    if not any(place is not None for place in places):
        return Seen(0, len(places), 0)
    starts = _starts([length for _, length in info.sources], info.separator or "", info.characters)
    own = _starts([length for _, length in corpus.texts], corpus.reading.separator, len(corpus))
    learnt = info.characters - held_out(info.characters, description.training.validation)
    characters = 0
    for number, place in enumerate(places):
        if place is not None:
            length = own[number + 1] - own[number]
            characters += max(0, min(length, learnt - starts[place]))
    return Seen(sum(place is not None for place in places), len(places), min(characters, len(corpus)))


def seen_note(description: Description, found: Seen, corpus: Corpus) -> str:
    """A note on what a model has seen of a text; empty where there is nothing to say."""
    texts = len(description.text.sources)
    if found.whole and found.known < texts:
        return (
            f"{counted(found.known, 'text')} of the {texts:,} that the model was trained on, read as in training: "
            f"{counted(found.characters, 'character')} of them trained on, {len(corpus) - found.characters:,} held out"
        )
    if found.known and not found.whole:
        trained = f"{counted(found.characters, 'character')} of them trained on" if found.characters else "all held out"
        return (
            f"{found.known:,} of these {counted(found.of, 'text')} are texts of the model's training text, {trained}; "
            "leave them out, or evaluate them alone"
        )
    return ""


def _places(info: TextInfo, hashes: Sequence[str]) -> list[int | None]:
    """The place of each text among those of the training text; None of a text that is not there, or once too often."""
    free: dict[str, list[int]] = {}
    for place, (sha256, _) in reversed([*enumerate(info.sources)]):
        free.setdefault(sha256, []).append(place)
    return [free[sha256].pop() if free.get(sha256) else None for sha256 in hashes]


def _starts(lengths: Sequence[int], separator: str, characters: int) -> list[int]:
    """Where each text begins in what they were joined to, separators being part of the text before, and the end."""
    starts, between = [0], len(with_lf(separator))
    for length in lengths:
        starts.append(starts[-1] + length + between)
    whole = max(1, starts[-1] - between)
    return [round(start * characters / whole) for start in starts]
