from textgen.corpus.finding import Skipped
from textgen.corpus.notes import passed_over


def test_what_is_passed_over_is_named_or_counted_by_reason() -> None:
    some = [Skipped("a.pdf", "a PDF"), *(Skipped(f"{number}.jpg", "does not match *.txt") for number in range(10_000))]
    assert passed_over([]) == []
    assert passed_over(some[:4]) == [
        "passed over: a.pdf (a PDF)",
        "passed over: 0.jpg (does not match *.txt)",
        "passed over: 1.jpg (does not match *.txt)",
        "passed over: 2.jpg (does not match *.txt)",
    ]
    assert passed_over(some) == [
        "passed over: a.pdf (a PDF)",
        "passed over: 10,000 (does not match *.txt), such as 0.jpg, 1.jpg, 2.jpg",
    ]
