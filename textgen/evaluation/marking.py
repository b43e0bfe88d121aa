"""What a text has copied, in words and as a page shows it."""

import math
from typing import TYPE_CHECKING

from textgen.evaluation.copied import SHORTEST, Figures
from textgen.page.tinted import LONGEST_LABEL, Mark, Tinted
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.novelty import Novelty

MOST_MARKS = 1_000  # passages that a page shows


def marked(found: "Novelty") -> Tinted:
    """The page of a text with its copied passages marked, the longest first."""
    marks = [
        Mark(
            start=int(found.starts[number]),
            end=int(found.starts[number] + found.lengths[number]),
            label=str(found.corpus_places[number])[-LONGEST_LABEL:],
        )
        for number in found.by_length()[:MOST_MARKS]
    ]
    return Tinted(
        title=f"{found.name} beside {found.corpus}",
        text=found.text,
        summary=verdict(found.figures, found.held_out),
        marks=marks,
        marks_name="Copied passages, the longest first",
    )


def verdict(figures: Figures, held_out: Figures | None) -> str:
    """What is copied, in one line.

    "4.1 % of the text is copied in passages of 20 characters or more (the longest: 31); of the corpus's own end 5.2 %
    (the longest: 64)", for instance.
    """
    if figures.characters < SHORTEST:
        text = counted(figures.characters, "character")
        return f"a text of {text} is too short to tell, since passages count as copied from {SHORTEST} on"
    share = percent(figures.copied[SHORTEST]) if figures.copied[SHORTEST] else "nothing"
    told = f"{share} of the text is copied in passages of {SHORTEST} characters or more"
    beside = ""
    if held_out is not None:
        beside = f"; of the corpus's own end {percent(held_out.copied[SHORTEST])} (the longest: {held_out.longest:,})"
    return f"{told} (the longest: {figures.longest:,}){beside}"


def percent(share: float) -> str:
    """A share as percent; NaN, of nothing, as a dash."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"
