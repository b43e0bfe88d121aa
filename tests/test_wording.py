from textgen.wording import counted


def test_one_is_singular() -> None:
    assert [counted(number, "byte") for number in (0, 1, 1.0, 1.5, 2)] == [
        "0 bytes", "1 byte", "1 byte", "1.5 bytes", "2 bytes",
    ]  # fmt: skip
    assert counted(12_345_678_901, "byte") == "12,345,678,901 bytes"
