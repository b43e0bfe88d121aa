from pathlib import Path

import pytest

from textgen.evaluation.baselines import Baseline
from textgen.training.curve import draw_curve
from textgen.training.run_folder import Row

figure = pytest.importorskip("matplotlib.figure")

ROWS = [
    Row(10, 1.0, 50_000, 4.0, 40, 0.01, 2.4, 2.0),
    Row(15, 1.5, 75_000, 6.0, 44, 0.01, None, None),  # a plan made anew
    Row(20, 2.0, 100_000, 8.0, 44, 0.01, 1.9, 1.7),
    Row(30, 3.0, 150_000, 12.0, 44, 0.01, 1.75, 1.6),
    Row(40, 4.0, 200_000, 16.0, 44, 0.01, 1.6, 1.62),
]
BASELINES = [Baseline("n-gram (5)", 1.75), Baseline("xz", 2.1)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The axes of each figure that is saved."""
    figures: list = []
    save = figure.Figure.savefig

    def savefig(self, *arguments: object, **options: object) -> None:
        figures.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(figure.Figure, "savefig", savefig)
    return figures


def test_a_curve_says_what_it_shows(drawn: list, tmp_path: Path) -> None:
    draw_curve("play", 0.1, ROWS, BASELINES, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = drawn[0].axes
    assert axes.get_title() == "play\nbest validation loss: 2.308 bits per character (1.600 nats)"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["training loss", "validation loss", "best n-gram (5)", "xz"]
    levels = [line.get_ydata()[0] for line in axes.get_lines()[-2:]]
    assert levels == pytest.approx([2.525, 3.030], abs=1e-3)
    why = drawn[0].get_supxlabel()
    assert "with dropout on (0.1) and as a mean since the previous evaluation" in why
    assert "may lie above the validation loss" in why


def test_without_a_validation_text_or_dropout_nothing_is_said_of_them(drawn: list, tmp_path: Path) -> None:
    draw_curve("play", 0.1, [row._replace(validation_nats=None) for row in ROWS], [], tmp_path / "curve.png")
    assert (drawn[0].axes[0].get_title(), drawn[0].get_supxlabel()) == ("play", "")
    draw_curve("play", 0.0, ROWS, [], tmp_path / "curve.png")
    assert "dropout on" not in drawn[1].get_supxlabel()


@pytest.mark.parametrize(
    "name", ["$x_{$", "吾輩は猫である", "a\nb\x1b[2J", "🦇", "e\u0301\u200d", "x" * 1000, "{}%s\\"]
)
def test_any_name_can_be_drawn(drawn: list, tmp_path: Path, name: str) -> None:
    draw_curve(name, 0.1, ROWS, BASELINES, tmp_path / "curve.png")
    title, loss = drawn[0].axes[0].get_title().split("\n")
    assert len(title) == min(len(name), 60)
    assert title.isprintable()
    assert loss.startswith("best validation loss")
