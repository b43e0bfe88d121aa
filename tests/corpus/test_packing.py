import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Iterator

import pytest

from textgen.corpus import packing
from textgen.corpus.packing import Allowance, Packing, packing_of, unpack, without_packing
from textgen.errors import CorpusError

PACK = {"gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress}
TEXT = b"".join(b"%d lines of text\n" % number for number in range(20_000)) + os.urandom(2000)


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def unpacked(content: bytes, how: Packing, size: int = 2**16) -> bytes:
    return b"".join(unpack("a.gz", cut(content, size), how, Allowance("a.gz", len(content))))


@pytest.mark.parametrize("method", PACK)
@pytest.mark.parametrize("size", [7, 2**16, 2**22])
def test_streams_behind_each_other_are_one(method: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK", 5000)
    pack = PACK[method]
    content = pack(TEXT) + pack(b"") + bytes(8) + pack(TEXT[:100]) + bytes(512)
    assert packing_of(content) == Packing(method)
    assert unpacked(content, Packing(method), size) == TEXT + TEXT[:100]


@pytest.mark.parametrize("method", PACK)
def test_pieces_are_small_however_much_is_in_them(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK", 2**16)
    pieces = list(unpack("a", cut(PACK[method](bytes(2**22)), 2**16), Packing(method), Allowance("a", 2**20)))
    assert max(map(len, pieces)) <= 2**16
    assert sum(map(len, pieces)) == 2**22


@pytest.mark.parametrize("method", PACK)
def test_what_is_cut_or_followed_by_something_else_is_damaged(method: str) -> None:
    whole = PACK[method](TEXT)
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:11]):
        with pytest.raises(CorpusError, match=r"^a.gz: the archive is damaged \(it ends early\); copy it again$"):
            unpacked(content, Packing(method))
    for content in (whole + b"more", whole[:5000] + b"\0\0\xff" + whole[5003:]):
        with pytest.raises(CorpusError, match=r"^a.gz: the archive is damaged \(.+\); copy it again$"):
            unpacked(content, Packing(method))


def test_a_file_cannot_ask_for_gigabytes() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**28}]
    with pytest.raises(CorpusError, match=r"^a.gz: needs too much memory to unpack; unpack it first, if you trust it$"):
        unpacked(lzma.compress(b"text", filters=filters), Packing("xz"))
    assert unpacked(lzma.compress(b"text", preset=9), Packing("xz")) == b"text"


def test_what_waits_when_all_is_read_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK", 5000)
    for size in range(4990, 5300, 10):  # the last symbol stands for up to 258 bytes
        content = b"a" * size
        how = Packing("deflate", size, zlib.crc32(content))
        assert unpacked(zlib.compress(content, wbits=-15), how) == content


def test_what_is_written_down_is_compared() -> None:
    packed = zlib.compress(TEXT, wbits=-15)
    right = Packing("deflate", len(TEXT), zlib.crc32(TEXT))
    assert unpacked(packed, right) == TEXT
    assert unpacked(TEXT, right._replace(method="stored")) == TEXT
    for wrong in (right._replace(check=1), right._replace(size=5), right._replace(size=len(TEXT) + 1)):
        with pytest.raises(CorpusError, match="its checksum is wrong"):
            unpacked(packed, wrong)


def test_suffixes_are_taken_away_in_any_case() -> None:
    names = ["a.txt.gz", "A.TXT.XZ", "a.bz2", "a.txt", ".gz", "a"]
    assert [without_packing(name) for name in names] == ["a.txt", "A.TXT", "a", "a.txt", ".gz", "a"]
