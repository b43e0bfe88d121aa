from textgen.corpus.encodings import Encoding, decode, examine
from textgen.corpus.faults import Faults, look


def read(
    content: bytes, given: str | None = None, size: int = 10**6, *, repair: bool = False
) -> tuple[Encoding, str, Faults]:
    """Read bytes in blocks of a size, as a text is read."""
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    encoding = examine("a.txt", blocks, given, repair=repair).encoding
    faults = Faults()
    text = "".join(look(decode("a.txt", blocks, encoding, faults), faults, repair=repair))
    return encoding, text, faults


def told(faults: Faults, *, repair: bool = False) -> list[str]:
    return [alone for alone, _ in faults.told(repair=repair)]
