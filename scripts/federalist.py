"""Cuts Project Gutenberg's etext 1404, The Federalist, into a file a paper, in a folder for each author.

hamilton/ and madison/ have the papers of undisputed authorship, 51 and 14, and disputed/ the twelve that both men
claimed. The five by Jay and the three by both are left out. Of each paper only its prose is kept, a paragraph a line:
the title, the newspaper, the address, the signature, notes and the edition's line breaks are not its author's.
"""

import argparse
import re
from pathlib import Path

DISPUTED = (*range(49, 59), 62, 63)
PAPER = re.compile(r"^FEDERALIST No\. (\d+)\s*$", re.MULTILINE)
AUTHOR = re.compile(r"^(HAMILTON|JAY|MADISON|MADISON, with HAMILTON)$", re.MULTILINE)
ADDRESS = "To the People of the State of New York"
SIGNATURE = re.compile(r"^PUBLIUS", re.MULTILINE)
NOTE_SIGN = re.compile(r"\(E?\d+\)|\[E?\d+\]")
END = re.compile(r"^End of the Project Gutenberg", re.MULTILINE)


def papers(text: str) -> dict[int, tuple[str, str]]:
    """The author, in the edition's words, and the prose of each paper, by its number."""
    _, *parts = PAPER.split(END.split(text)[0])
    found = {}
    for number, paper in zip(map(int, parts[::2]), parts[1::2], strict=True):
        author = AUTHOR.search(paper)
        if author is None:
            raise SystemExit(f"No. {number} names no author: expected Project Gutenberg's etext 1404")
        body = SIGNATURE.split(paper[author.end() :])[0]
        paragraphs = [" ".join(NOTE_SIGN.sub("", part).split()) for part in re.split(r"\n\s*\n", body)]
        prose = [part for part in paragraphs if part and not part.startswith(ADDRESS)]
        found[number] = (author[1], "\n".join(prose) + "\n")
    return found


def folder_of(number: int, author: str) -> str | None:
    """The folder that a paper belongs to; None for one that is left out."""
    if number in DISPUTED:
        return "disputed"
    return {"HAMILTON": "hamilton", "MADISON": "madison"}.get(author)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="Project Gutenberg's etext 1404")
    parser.add_argument("folder", type=Path, help="for hamilton/, madison/ and disputed/")
    options = parser.parse_args()
    for number, (author, prose) in papers(options.text.read_text(encoding="utf-8-sig")).items():
        if folder := folder_of(number, author):
            (options.folder / folder).mkdir(parents=True, exist_ok=True)
            (options.folder / folder / f"{number:02}.txt").write_text(prose, encoding="utf-8")


if __name__ == "__main__":
    main()
