import pytest

from textgen.corpus.removal import Removed
from textgen.corpus.stripping import strip

BOOK = "    THE LAMP\n\nA keeper sat beneath a lamp.\n*** three stars ***\n\nIt burned all night.\n"
LICENCE = "".join(f"Clause {number} of Project Gutenberg.\n{'It goes on. ' * 200}\n\n" for number in range(9))
SMALL_PRINT = (
    "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN {0}**START***\nWhy is it here?\n\nPay the Project.\n\n"
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN {0}*Ver.04.29.93*END*"
)
HEADING = "The Project Gutenberg EBook of The Lamp, by A. Keeper\n\nTitle: The Lamp\n\n"
START = "*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK THE LAMP ***"
FRAMED = f"{HEADING}{START}\n\n\n{BOOK}\n\n\n{END}\n\n{LICENCE}"


def stripped(text: str) -> tuple[str, Removed]:
    removed = Removed()
    return "".join(strip([text], removed)), removed


@pytest.mark.parametrize(
    "header",
    [
        HEADING + START,
        HEADING + START.replace("THE PROJECT", "THIS PROJECT"),
        HEADING + START.replace("*** ", "***").replace(" ***", "***"),
        HEADING + START.replace("EBOOK", "ETEXT"),
        HEADING + START.replace("THE PROJECT", "THE COPYRIGHTED PROJECT"),
        HEADING + "   " + START + "  ",
        HEADING + START.title(),
        HEADING + START.replace("LAMP", "L*A*M*P"),
        HEADING + START.replace("LAMP", "LAMP * A PLAY"),
        HEADING + START.replace("LAMP", "LAMP\nAND ITS KEEPER"),
        HEADING + START.replace("GUTENBERG", "\nGUTENBERG").replace(" \n", "\n"),
        HEADING + START.removesuffix(" ***"),
        "\ufeff\n\n" + HEADING + START,
        "Title: The Lamp\n\n" + START,
        START,
        "Project Gutenberg Etext of The Lamp\n\n" + SMALL_PRINT.format("ETEXTS"),
        "**The Project Gutenberg Etext of The Lamp**\n\nAnd more.\n\n" + SMALL_PRINT.format("EBOOKS"),
        "Project Gutenberg's The Lamp, by A. Keeper\n\n" + SMALL_PRINT.format("ETEXTS").replace("*END*THE", "*END THE"),
        HEADING + SMALL_PRINT.format("ETEXTS") + "\n\nRelease 10\n\n" + START,
        HEADING + "*** SMALL PRINT!\n\nThe Project.\n\n[\"Small Print\" V.12.08.93]",
        HEADING + LICENCE + START,
        HEADING + START + "\n\n\n\nProduced by A. Reader,\nB. Reader and others",
        HEADING + START + "\n\nE-text prepared by A. Reader\n\n\n\nNote: Project Gutenberg also has pictures.",
        HEADING + START + "\n\nThis eBook was produced by A. Reader.",
        HEADING + SMALL_PRINT.format("ETEXTS") + "\n\n\nThis etext was prepared by A. Reader <a@example.org>",
        HEADING + SMALL_PRINT.format("ETEXTS") + "\n\nTranscribed from the 1899 edition by A. Reader",
    ],
)  # fmt: skip
def test_headers_of_every_decade_are_taken_out(header: str) -> None:
    text, removed = stripped(f"{header}\n\n\n{BOOK}")
    assert text == BOOK
    assert (removed.library, removed.headers, removed.footers) == ("Project Gutenberg", 1, 0)
    assert removed.header == removed.characters == len(header) + 3


@pytest.mark.parametrize(
    "footer",
    [
        END,
        END.replace("THE PROJECT", "THIS PROJECT"),
        END.replace("*** ", "***").replace(" ***", "***"),
        END.replace("THE PROJECT", "THE COPYRIGHTED PROJECT"),
        "  " + END,
        END.replace("LAMP", "L*A*M*P"),
        END.replace("LAMP", "LAMP\nAND ITS KEEPER"),
        END + "\n\n***** This file should be named 1-8.txt or 1-8.zip *****",
        END + "\nLicence",
        END + "\n\n" + LICENCE,
        "End of the Project Gutenberg EBook of The Lamp, by\nA. Keeper\n\n" + END + "\n\n" + LICENCE,
        "End of Project Gutenberg's The Lamp, by A. Keeper\n" + END + "\n" + LICENCE,
        "End of Project Gutenberg Etext of The Lamp",
        "End of The Project Gutenberg Etext of The Lamp, by A. Keeper",
        "End of this Project Gutenberg etext of The Lamp",
        "End of the Project Gutenberg edition of The Lamp",
        "END OF PROJECT GUTENBERG ETEXT THE LAMP",
        "**End of the Project Gutenberg Etext of The Lamp**",
        "[End of this Project Gutenberg Etext of The Lamp]",
        "...End of the Project Gutenberg EBook of The Lamp, by A. Keeper.\n\n" + END,
        "Fin du Projet Gutenberg EBook de La Lampe, par A. Gardien\n\n" + END,
        "Fin de Project Gutenberg's La Lampe, par A. Gardien",
        "Ende dieses Projekt Gutenberg Etextes Die Lampe",
        "Ende dieses Project Gutenberg Etextes Die Lampe, von A. Wärter",
        "Fine del Progetto Gutenberg: La lampada\n\n" + END,
        "Einde van Project Gutenberg's De lamp",
        "Einde van het Project Gutenberg EBoek De lamp\n\n" + END,
        "Fin del Proyecto Gutenberg, La lámpara\n\n" + END,
        "Fim do Projeto Gutenberg, A lâmpada\n\n" + END,
        END + "\n\nThis file should be named lamp10.txt\n\n" + SMALL_PRINT.format("EBOOKS"),
        END + "\n\n" + LICENCE + "See Project Gutenberg's site,\nto hear about new eBooks.",
    ],
)
def test_footers_of_every_decade_and_language_are_taken_out(footer: str) -> None:
    text, removed = stripped(f"{HEADING}{START}\n{BOOK}\n\n\n{footer}\n")
    assert text == BOOK
    assert (removed.headers, removed.footers, removed.footer) == (1, 1, len(footer) + 4)
    assert stripped(f"{BOOK}\n{footer}\n")[0] == BOOK  # the header was cut off before


def test_a_footer_may_follow_the_last_line_at_once() -> None:
    closing = "End of the Project Gutenberg EBook of The Lamp, by\nA. Keeper\n\n"
    assert stripped(f"{HEADING}{START}\n{BOOK}{closing}{END}\n{LICENCE}")[0] == BOOK
    assert stripped(f"{HEADING}{START}\n{BOOK}{END}\nLast words")[0] == BOOK


@pytest.mark.parametrize(
    "heading",
    [
        "The Project Gutenberg Etext of The Lamp, by A. Keeper\n",
        "**This is a COPYRIGHTED Project Gutenberg Etext, Details Above**\n",
    ],
)
def test_a_heading_closes_a_book_where_nothing_follows(heading: str) -> None:
    assert stripped(f"{HEADING}{START}\n{BOOK}\n\n{heading}")[0] == BOOK
    assert stripped(f"{BOOK}\n\n{heading}")[0] == f"{BOOK}\n\n{heading}"


def test_every_book_of_a_file_stays() -> None:
    small_print = SMALL_PRINT.format("ETEXTS")
    old = f"Project Gutenberg Etext of The Lamp\n\n{small_print}\n{BOOK}\nEnd of Project Gutenberg Etext\n\n"
    text, removed = stripped(FRAMED + FRAMED + old + old + FRAMED)
    assert text == "\n".join([BOOK] * 5)
    assert (removed.headers, removed.footers) == (5, 5)
    assert len(removed.pieces) == 4
    assert removed.words().endswith("; and 6 more")


def test_a_book_without_a_frame_stays_between_two_that_have_one() -> None:
    own = "My own text.\n" * 500
    assert stripped(f"{FRAMED}\n{own}\n{FRAMED}")[0] == f"{BOOK}\n{own}\n{BOOK}"
    assert stripped(f"{own}\n{FRAMED}")[0] == f"{own}\n{BOOK}"
    assert stripped(f"{own}\n{FRAMED}\n{own}") == (f"{own}\n{BOOK}\n{own}", stripped(f"{own}\n{FRAMED}")[1])


def test_a_book_that_was_cut_before_its_end_is_parted_from_the_next() -> None:
    text, removed = stripped(f"{HEADING}{START}\n{BOOK * 99}\n{FRAMED}")
    assert text == f"{BOOK * 99}\n{BOOK}"
    assert (removed.headers, removed.footers) == (2, 1)


@pytest.mark.parametrize(
    "sentence",
    [
        "He wrote:\nEnd of the Project Gutenberg was celebrated in 1905.\nAnd so it was.",
        "End of the Project Gutenberg was celebrated in 1905, he wrote.",
        "End of Project Gutenberg's first year.",
        "End of the Project Gutenberg EBook was what he wished.",
        f"> {END}",
        f'"{END}"',
        f"“{START}”",
        f"The line\n{END}\nis the last one of each file.",
        f"The line\n{END}\nis the last one of each file of Project Gutenberg.",
        f"The line is this:\n\n{END}\n\nand the file goes on.",
        f"Like so:\n\n    {END}\n\nThis is the last one.",
        f"{START} is the first line.",
        f"{END} is the last line.",
        "The Project Gutenberg eBook of The Lamp was read by all.",
        f"He saw:\n\n{START}\n\nand went on.",
        "Fin du Projet Gutenberg, dit-il.",
        "Produced by A. Reader",
        "***** This file should be named 1-8.txt *****",
    ],
)
def test_a_sentence_or_a_quoted_marker_is_text(sentence: str) -> None:
    long = BOOK * 99
    text = f"{long}\n{sentence}\n\n{long}"
    assert stripped(text) == (text, Removed())
    assert stripped(f"{HEADING}{START}\n\n{text}\n{END}\n{LICENCE}")[0] == text


def test_what_follows_the_end_and_is_no_licence_stays() -> None:
    own = "Notes of the reader, long after.\n" * 20
    text, removed = stripped(f"{HEADING}{START}\n{BOOK}\n{END}\n\n{own}")
    assert text == f"{BOOK}\n{own}"
    assert (removed.footers, removed.footer) == (1, len(END) + 2)


def test_a_text_about_the_library_has_no_header() -> None:
    text = (
        "Project Gutenberg is a library.\n"
        + "It has many books, each with a header.\n" * 60
        + f"\n{START}\n\nAnd so on.\n"
    )
    assert stripped(text) == (text, Removed())
