import base64
import io
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from tests.conftest import describe, in_process, random_weights
from tests.page.node import Node, node
from tests.page.test_tinted import Elements, data_of
from tests.serving.conftest import model_file
from textgen import html_file
from textgen.config import ModelConfig
from textgen.corpus.vocabulary import Vocabulary
from textgen.html_file import export, html
from textgen.model_file import Model, Weights

__all__ = ["node"]

HOSTILE = "</title></script><img src=x onerror=alert(1)>&\u202e"
UNPACK = """
import { unpacked } from "./payload.js";
try {
  const { arrays, ...model } = unpacked(data.told, data.pieces);
  const parts = [arrays.embedding, ...arrays.layers.flatMap((one) => [one.kernel, one.recurrent, one.bias])];
  parts.push(arrays.head.kernel, arrays.head.bias);
  answer({ model, arrays: parts.map((one) => Buffer.from(one.buffer).toString("base64")) });
} catch (problem) {
  answer(problem.kind);
}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "fox.keras"
    path.write_bytes(model_file())
    return path


def unpacked(node: Node, page: str) -> Any:
    """The model of a page, unpacked by its module; or the kind of problem."""
    return node(UNPACK, told=data_of(page), pieces=pieces_of(page))


def pieces_of(page: str) -> list[str]:
    return re.findall('class="model-piece">(.*?)</script>', page)


def made(cell: str = "lstm", digits: int = 0, text: str = "aéあ🎉\n</script>\u2028") -> Model:
    """A model of random weights; with `digits`, bfloat16 cannot hold them."""
    config, vocabulary = ModelConfig(2, 6, 0.0, 5, cell=cell), Vocabulary.of(text)
    weights = Weights.from_list(
        array * np.float32(1 + 2.0**-20) if digits else array for array in random_weights(config, len(vocabulary))
    )
    return Model(Path("run/model.keras"), describe(vocabulary, config, unicode="nfc", replacement="a"), weights)


@pytest.mark.parametrize(("cell", "digits"), [("lstm", 0), ("gru", 0), ("rnn", 1)])
def test_the_page_carries_the_model_to_the_last_bit(
    node: Node, monkeypatch: pytest.MonkeyPatch, cell: str, digits: int
) -> None:
    monkeypatch.setattr(html_file, "PIECE", 99)
    model = made(cell, digits)
    page = "".join(html(model))
    assert len(pieces_of(page)) > 10
    found = unpacked(node, page)
    assert found["model"] == {
        **{"vocabulary": list(model.description.vocabulary.symbols), "language": "ja", "cell": cell, "layers": 2},
        **{"units": 6, "dim": 5, "unicode": "nfc", "lowercase": False, "replacement": "a"},
    }
    for array, content in zip(model.weights.arrays, found["arrays"], strict=True):
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(content), "<f4"), array.ravel())


def test_a_matrix_takes_two_bytes_a_number_where_these_hold_it() -> None:
    halves, whole = (sum(map(len, pieces_of("".join(html(made(digits=digits)))))) for digits in (0, 1))
    weights = made().weights
    matrices = sum(array.size for array in weights.arrays if array.ndim == 2)
    assert (whole - halves) == pytest.approx(2 * matrices * 4 / 3, abs=4)


@pytest.mark.parametrize(
    "damage",
    [
        lambda page: page.replace('class="model-piece">', 'class="model-piece">A', 1),
        lambda page: re.sub(r'(class="model-piece">.{50}).', r"\1!", page, count=1),
        lambda page: re.sub(r'(class="model-piece">.{50})(.)', lambda m: m[1] + ("B" if m[2] == "A" else "A"), page),
        lambda page: page[: page.index('class="model-piece"') + 60] + "</script>",
        lambda page: re.sub(r'"bytes": \d+', '"bytes": 1e15', page),
        lambda page: re.sub(r'"bytes": \d+', '"bytes": "x"', page),
        lambda page: re.sub(r'"checksum": \d+', '"checksum": 1', page),
    ],
)
def test_any_damage_is_found(node: Node, damage: Callable[[str], str]) -> None:
    page = "".join(html(made()))
    damaged = damage(page)
    assert damaged != page
    assert unpacked(node, damaged) == "damaged"


def test_no_title_or_seed_adds_an_element_or_ends_the_data() -> None:
    page = "".join(html(made(text=HOSTILE), title=HOSTILE, seed=HOSTILE))
    plain = "".join(html(made(text=HOSTILE)))
    assert [tag for tag, _ in Elements(page).found] == [tag for tag, _ in Elements(plain).found]
    assert data_of(page)["title"] == HOSTILE.replace("\u202e", "\ufffd")
    assert data_of(page)["seed"] == HOSTILE
    assert "<title>&lt;/title&gt;&lt;/script&gt;&lt;img" in page


def test_the_page_needs_no_address_and_has_nothing_of_a_server() -> None:
    page = "".join(html(made()))
    elements = Elements(page)
    (policy,) = (about["content"] for _, about in elements.found if about.get("http-equiv"))
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S{44}'; script-src 'sha256-\S{44}'; "
        "base-uri 'none'; form-action 'none'",
        policy or "",
    )
    assert not re.search(r"(https?:)?//\w+\.", re.sub(r"http://www\.w3\.org/2000/svg", "", page))
    names = {about.get("id") for _, about in elements.found}
    assert {"notebook", "see-text", "ways-dialog"} <= names
    assert not {"tab-train", "panel-train", "model", "model-file"} & names
    assert "served" not in re.sub("//.*|/\\*.*?\\*/", "", page)


def test_a_model_has_one_key_and_a_notebook_for_each_seed_whatever_the_title() -> None:
    told = [data_of("".join(pieces)) for pieces in (
        html(made()), html(made(), title="Other", language="ja"), html(made(), seed="a"), html(made(digits=1)),
    )]  # fmt: skip
    one, titled, seeded, other = ((data["key"], data["notebook"]) for data in told)
    assert one == titled
    assert one[0] == seeded[0] != other[0]
    assert len({one[1], seeded[1], other[1]}) == 3


def test_the_checksum_is_that_of_zip() -> None:
    page = "".join(html(made()))
    content = b"".join(map(base64.b64decode, pieces_of(page)))
    assert (data_of(page)["bytes"], data_of(page)["checksum"]) == (len(content), zlib.crc32(content))


def test_the_command_writes_the_file_and_says_so(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "play.html"
    words = ("export", str(model), "-o", str(file), "--title", "Fox", "--seed", "The ", "--language", "ja")
    code, stdout, stderr = in_process(*words)
    assert (code, stdout) == (0, "")
    assert re.fullmatch(rf"page: {file}, 0\.\d MB; open it in a browser\n", stderr)
    data = data_of(file.read_text(encoding="utf-8"))
    assert (data["title"], data["seed"], data["language"]) == ("Fox", "The ", "ja")
    file.chmod(0o640)
    assert in_process(*words)[0] == 1
    assert in_process("export", str(model), "-o", str(file), "--force")[0] == 0
    assert data_of(file.read_text(encoding="utf-8"))["title"] == "fox"
    assert file.stat().st_mode & 0o777 == 0o640
    code, stdout, stderr = in_process("export", str(model), "-o", "-")
    assert (code, stdout, stderr) == (0, file.read_text(encoding="utf-8"), "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-o", "old.html"], 1, "old.html: there is such a file already; name another with -o, or give --force"),
        (["-o", "folder"], 1, "folder: is a folder; name a file with -o"),
        (["-o", "folder", "--force"], 1, "folder: is a folder; name a file with -o"),
        (["-o", "pipe", "--force"], 1, "pipe: is no regular file; name another with -o"),
        (["-o", "no/play.html"], 1, "no/play.html: cannot be written (No such file or directory); name another file"),
        (["-o", "new.html", "--seed", "猫"], 1, "'猫' (U+732B CJK UNIFIED IDEOGRAPH-732B); write it otherwise\n"),
        (["-o", "new.html", "--title", "x" * 301], 2, "--title must be text of at most 300 characters, not 'xxx"),
        (["-o", "new.html", "--language", "fr"], 2, "'fr' is not one of 'en', 'ja'"),
        ([], 2, "Missing option '-o'"),
    ],
)
def test_what_cannot_be_written_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(model.parent)
    Path("old.html").write_text("old")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    found, _, told = in_process("export", str(model), *words)
    assert found == code
    assert message in told
    assert Path("old.html").read_text() == "old"
    assert not Path("new.html").exists()


def test_a_large_page_needs_force(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_file, "MOST", 30_000)
    monkeypatch.chdir(model.parent)
    code, _, told = in_process("export", str(model), "-o", "play.html")
    assert code == 1
    assert re.search(r"fox.keras: its page would have \d+ MB; expected at most 0, .* give --force to make it", told)
    assert not Path("play.html").exists()
    assert export(model, "play.html", force=True) == Path("play.html")


def test_what_is_no_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.keras").write_bytes(model_file()[:-100])
    for name, why in (("damaged.keras", "not a complete Keras archive"), ("none.keras", "no such model")):
        code, _, told = in_process("export", name, "-o", "play.html")
        assert (code, why in told, Path("play.html").exists()) == (1, True, False)


def test_the_library_checks_what_it_is_given(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`language` must be one of en, ja, not 'fr'"):
        textgen.export(model, tmp_path / "play.html", language="fr")
    with pytest.raises(TypeError, match="`output` must be str or PathLike, not int"):
        textgen.export(model, 3)  # type: ignore[arg-type]


def test_the_name_of_a_model_is_its_title_even_if_it_cannot_be_printed() -> None:
    odd = replace(made(), path=Path("caf\udce9") / "model.keras")
    assert data_of("".join(html(odd)))["title"] == "caf\ufffd"
    assert data_of("".join(html(made())))["title"] == "run"
    assert io.StringIO().writelines(html(odd)) is None
