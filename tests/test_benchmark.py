"""The benchmark's own parts: the document holds what was measured, and both peers are trained by textgen's loop."""

import resource
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import measures, report, results, tasks
from benchmarks.peer import Peer, alternate, writing
from benchmarks.results import Figure, Part, megabytes

from tests.conftest import TEXT
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.evaluation.surprisal import cross_entropy
from textgen.model_file import Weights, layout
from textgen.training.plan import Epochs, Plan, make_plan

SPEEDS = [
    Figure("textgen", "targets/s", 32, [100.0, 90.0, 200.0]),
    Figure("PyTorch", "targets/s", 32, [50.0, 60.0, 50.0]),
    Figure("article", "targets/s", 30, [1.0, 1.0, 2.0]),
]
LOSSES = [
    Figure("textgen", "held-out nats", "macbeth, seed 1", [2.0, 1.5, 1.6]),
    Figure("textgen", "processor seconds a step", "macbeth, seed 1", [0.1, 0.1, 0.2]),
    Figure("PyTorch", "held-out nats", "macbeth, seed 1", [2.1, 1.9, 1.7]),
    Figure("PyTorch", "processor seconds a step", "macbeth, seed 1", [0.2, 0.2, 0.2]),
    Figure("PyTorch", "peak memory, MB", "macbeth, seed 1", [400.0]),
]


def part(measured: list[Figure]) -> Part:
    return Part("2026-01-01T00:00+00:00", False, 0.0, {"cores": "2"}, {"python": "3.11"}, measured)


def plan() -> Plan:
    model, training = ModelConfig(2, 16, 0.1, 8), TrainingConfig(window=10, batch_size=4, rng_seed=1)
    return make_plan(Corpus.from_text(TEXT * 20), until=Epochs(1), model=model, training=training)[0]


def test_the_document_holds_what_was_measured() -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    assert {found[2] for found in report.BLOCK.findall(page)} <= set(report.PARTS) == set(measures.PARTS)
    assert len(report.BLOCK.findall(page)) == page.count("<!-- benchmark:") == page.count("<!-- end -->") > 0
    assert report.filled(page) == page, "run ./scripts/benchmark --write-docs"


def test_tables_are_filled_from_the_file_that_the_marker_names(tmp_path: Path) -> None:
    results.write(tmp_path / "here.json", {"training": part(SPEEDS)})
    page = "before\n<!-- benchmark: here/training -->\nold\n<!-- end -->\nafter\n"
    filled = report.filled(page, tmp_path)
    assert "| 32 | PyTorch | 50 (50–60) | 2.00 × |" in filled
    assert "old" not in filled
    assert filled.startswith("before\n")
    assert filled.endswith("<!-- end -->\nafter\n")
    assert report.filled(filled, tmp_path) == filled


def test_measurements_are_kept_whole(tmp_path: Path) -> None:
    path, parts = tmp_path / "docs" / "here.json", {"training": part(SPEEDS), "quality": part(LOSSES)}
    assert results.read(path) == {}
    results.write(path, parts)
    assert results.read(path) == parts


def test_a_measurement_names_the_kernel_without_which_all_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "best_level", lambda: None)
    begun = results.begin(quick=True)
    assert "Versions: kernel none, python 3." in report.tables("training", replace(begun, results=SPEEDS))


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    assert report.ratio(SPEEDS[1], SPEEDS) == "2.00 ×"  # of 2, 1.5 and 4
    assert report.ratio(SPEEDS[2], SPEEDS) == "100.00 ×"
    assert report.ratio(SPEEDS[0], SPEEDS) == ""


def test_losses_are_told_as_they_fell_with_the_best_of_them() -> None:
    told = report.quality(part(LOSSES)).splitlines()
    assert told[2] == "| macbeth, seed 1 | textgen | 2.000, 1.500, 1.600 | 1.500 |  |  |"
    assert told[3] == "| macbeth, seed 1 | PyTorch | 2.100, 1.900, 1.700 | 1.700 | 0.50 × | 400 |"


def test_peers_take_turns() -> None:
    order = []
    alternate({name: lambda name=name: order.append(name) for name in "ab"}, 2)
    assert order == ["a", "b", "a", "b"]


@pytest.mark.slow
def test_textgen_is_measured_alone_where_pytorch_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    monkeypatch.setenv("TEXTGEN_TEXTS", str(tmp_path))
    monkeypatch.setattr(measures, "EPOCHS", {"fox": 2})
    monkeypatch.setattr(measures, "find_spec", lambda name: None)
    figures = measures.quality(Namespace(quick=False, seeds=1))
    nats, seconds, peak = figures
    assert [(figure.peer, figure.at) for figure in figures] == [("textgen", "fox, seed 1")] * 3
    assert len(nats.values) == len(seconds.values) == 2
    assert 0 < nats.values[1] < nats.values[0] < 5
    assert min(seconds.values) > 0
    assert 10 < peak.values[0] < 10_000


@pytest.mark.slow
def test_textgen_trains_and_writes_when_asked() -> None:
    with Peer("textgen") as peer:
        assert peer.ask("write", 2, 0.1) > 0
        assert peer.ask("write", 1, 0.1) > 0
        assert peer.ask("train", 8, 0.1) > 0


@pytest.mark.parametrize("peer", sorted(set(tasks.CONSTRAINTS) - {"textgen --no-copy"}))  # which needs a text
def test_constraints_are_written_under(peer: str) -> None:
    assert tasks.writer(peer, 1)() > 0


def test_a_command_is_watched_from_outside() -> None:
    words = ["-c", "import time; print(1, flush=True); time.sleep(0.2)"]
    first, peak = writing([measures.TEXTGEN[0], *words])
    assert 0 < first < 10
    own = megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # which Linux counts as the new process's peak
    assert 1 < peak <= max(1000, own)
    with pytest.raises(SystemExit, match=r"failed: .* -c 1/0"):
        writing([measures.TEXTGEN[0], "-c", "1/0"])


def test_a_peer_that_fails_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with Peer("textgen") as peer, pytest.raises(SystemExit, match="the peer textgen failed at sing"):
        peer.ask("sing")
    assert "KeyError: 'sing'" in capfd.readouterr().err


def test_pytorch_learns_by_textgens_plan_and_its_weights_are_textgens() -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)  # two of them wait for each other on a machine that others use
    planned = plan()
    learner = tasks.learner("PyTorch", planned)
    windows, codes = planned.windows, planned.corpus.codes
    losses = [learner.train(*windows.window(n), windows.begins(n), n, 1e-2) for n in range(400)]
    kept = learner.kept()
    assert [array.shape for array in kept] == list(layout(planned.model, len(planned.corpus.vocabulary)).values())
    assert np.mean(losses[-10:]) < 0.5 * losses[0]

    twin = learner._averages.eval()  # textgen's loss of the weights is that of PyTorch's own network, which was rounded
    with torch.inference_mode():
        logits, _ = twin(torch.from_numpy(codes[:-1, None].astype(np.int64)), twin.start(1))
        own = torch.nn.functional.cross_entropy(logits[100:, 0], torch.from_numpy(codes[101:].astype(np.int64)))
    assert cross_entropy(Weights.from_list(kept), codes, 101) == pytest.approx(own.item(), rel=0.02)
