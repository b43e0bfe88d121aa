"""The benchmark's own parts: the document holds what was measured, and textgen's peers measure what textgen does."""

from math import inf
from pathlib import Path

import pytest
from benchmarks import document, history, quality, results, watch
from benchmarks.peer import Peer, alternate
from benchmarks.quality_report import reached, told
from benchmarks.recipe import Recipe
from benchmarks.report import PARTS, against, tables
from benchmarks.results import Figure, Part, Results, Run

from tests.conftest import TEXT
from textgen import Corpus

SPEEDS = [
    Figure("textgen", "targets/s", 32, [100.0, 90.0, 200.0]),
    Figure("PyTorch", "targets/s", 32, [50.0, 60.0, 50.0]),
    Figure("article", "targets/s", 30, [1.0, 1.0, 2.0]),
]
RUNS = [
    Run("textgen", "macbeth", 0.2, 1, [(9.0, 2.4), (12.0, 2.1)], 13.0, 800.0),
    Run("textgen", "macbeth", 0.5, 1, [(29.0, 1.7)], 30.0, 800.0),
    Run("textgen", "macbeth", 0.2, 2, [(12.5, 2.2)], 13.0, 800.0),
    Run("article", "macbeth", 7.0, 1, [(420.0, 2.5)], 500.0, 900.0),
]


def part(measured: list[Figure] | list[Run]) -> Part:
    return Part("2026-01-01T00:00+00:00", False, 0.0, {"python": "3.11"}, measured)


def test_the_document_holds_what_was_measured() -> None:
    page = document.PAGE.read_text(encoding="utf-8")
    assert len(document.BLOCK.findall(page)) == len(PARTS)
    assert document.filled(page) == page, "run ./scripts/benchmark --write-docs"


def test_tables_are_filled_from_the_file_that_the_marker_names(tmp_path: Path) -> None:
    results.write(tmp_path / "here.json", Results({"cores": "2"}, {"training": part(SPEEDS)}))
    page = "before\n<!-- benchmark: here/training -->\nold\n<!-- end -->\nafter\n"
    filled = document.filled(page, tmp_path)
    assert "| 32 | PyTorch | 50 (50–60) | 0 | not measured | 2.00 × |" in filled
    assert "old" not in filled
    assert filled.startswith("before\n")
    assert filled.endswith("<!-- end -->\nafter\n")
    assert document.filled(filled, tmp_path) == filled


def test_measurements_are_kept_whole_and_part_by_part(tmp_path: Path) -> None:
    path = tmp_path / "here.json"
    found = results.read_own(path)
    for name, measured in {"training": SPEEDS, "quality": RUNS[:1]}.items():
        found.parts[name] = part(measured)
        results.write(path, found)
        found = results.read_own(path)
    kept = results.read(path)
    assert kept.parts["training"].results == SPEEDS
    assert kept.parts["quality"].results[0].curve == [[9.0, 2.4], [12.0, 2.1]]
    results.write(path, Results({"processor": "another"}, {}))
    with pytest.raises(SystemExit, match="another machine"):
        results.read_own(path)


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    assert against(SPEEDS[1], SPEEDS) == "2.00 ×"  # of 2, 1.5 and 4
    assert against(SPEEDS[2], SPEEDS) == "100.00 ×"
    assert against(SPEEDS[0], SPEEDS) == ""


def test_a_goal_is_reached_by_whichever_budget_is_first() -> None:
    assert reached(RUNS[:3], 2.1) == [12.0, inf]
    assert told([12.0, inf]) == "12.0, 1 of 2 seeds"
    assert told(reached(RUNS[:3], 2.2)) == "12.2 (12.0–12.5)"
    assert told(reached(RUNS[:3], 1.0)) == "not reached"
    assert "| macbeth | 2.500 | 10.8 (9.0–12.5) | 420.0 | 39.07 × |" in tables(
        Results({"cores": "2"}, {"quality": part(RUNS)}), "quality"
    )


def test_peers_take_turns() -> None:
    order = []
    alternate({name: lambda name=name: order.append(name) for name in "ab"}, 2)
    assert order == ["a", "b", "a", "b"]


def test_a_peer_can_follow_textgens_recipe() -> None:
    recipe = Recipe.choose(Corpus.from_text(TEXT * 200), 0.5, 1)
    assert recipe.first_held_out == len(recipe.windows.codes)
    assert recipe.planned(0, 60.0, None, 1.0) > 10
    assert recipe.planned(100, 61.0, 0.5, 1.0) < 100 + 2 * 60
    assert 0 < recipe.learning_rate(5, 100) <= recipe.peak
    assert recipe.is_scoring(recipe.windows.per_epoch)


def test_histories_of_textgen_and_of_its_peers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    assert history.read(path) == []
    history.begin(path)
    history.record(path, 2.5, 3.0)
    assert history.read(path) == [(2.5, 3.0)]
    path.write_text("step,validation_nats\n10,\n20,1.5\n")
    assert history.read(path) == [(1.5, 0.0)]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["textgen_step", "keras_fit", "article_step"])
def test_peers_train(module: str) -> None:
    with Peer(module) as peer:
        assert peer.ask("train", 8, 0.1) > 0


def test_numpys_products_are_measured() -> None:
    with Peer("products", "numpy") as peer:
        assert peer.ask("product", 32, 300, 1200, 0.01) > 0
        assert peer.ask("step_bytes", 1, 0.01) > 0


@pytest.mark.slow
@pytest.mark.parametrize("module", ["textgen_writer", "keras_writer"])
def test_peers_write(module: str, trained: Path) -> None:
    with Peer(module, trained / "model.keras") as peer:
        assert peer.ask("write", 2, 0.1) > 0


@pytest.mark.slow
def test_a_training_is_watched_from_outside(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    history = tmp_path / "run" / "history.csv"
    words = quality.command("textgen", tmp_path / "fox.txt", 0.1, 1, history)
    curve, seconds, peak_mb = watch.training(words, history)
    assert 0 < curve[-1][0] <= seconds
    assert 0 < curve[-1][1] < 5
    assert 10 < peak_mb < 10_000


def test_a_peer_that_fails_says_why() -> None:
    with Peer("textgen_writer", "missing.keras") as peer, pytest.raises(SystemExit, match=r"missing\.keras"):
        peer.ask("write", 1, 0.1)
