import random

from textgen.corpus.natural_order import natural

ORDER = [
    "Z.txt",
    "a",
    "a/ch01.txt",
    "a/ch1.txt",
    "a/ch2.txt",
    "a/ch10.txt",
    "a/ch10a.txt",
    f"a/ch{'9' * 5000}.txt",  # more digits than Python makes an integer of
    f"a/ch1{'0' * 5000}.txt",
    "a.txt",
    "b2/1.txt",
    "b10/1.txt",
    "第１章.txt",
    "第2章.txt",
    "第１０章.txt",
]


def test_numbers_count_by_value_and_all_else_by_code_point() -> None:
    shuffled = random.Random(1).sample(ORDER, len(ORDER))
    found = sorted(shuffled, key=lambda path: natural(path.split("/")))
    assert found == ORDER
