import json
import re

import pytest

from textgen.corpus.corpus import Corpus
from textgen.corpus.windows import Windows
from textgen.errors import TrainingError
from textgen.training.cluster import Cluster, from_environment, from_words
from textgen.training.slurm import VARIABLES, from_slurm

TWO = ("a.example:8470", "[fd00::2]:8470")


def test_streams_are_dealt_in_order_and_windows_are_read_of_them_alone() -> None:
    codes = Corpus.from_text("abcdefghijklmnopqrstuvwxyz" * 40).codes
    whole = Windows(codes, 6, 10, 3)
    parts = [Windows(codes, 6, 10, 3, Cluster(("a:1", "b:1", "c:1"), index).rows(6)) for index in range(3)]
    for step in (0, 1, whole.per_epoch, 117):
        for place, expected in enumerate(whole.window(step)):
            assert [row.tolist() for part in parts for row in part.window(step)[place]] == expected.tolist()
        assert [begin for part in parts for begin in part.begins(step)] == whole.begins(step).tolist()
        assert parts[1].window(step)[0].shape == (2, 10)


def test_a_batch_that_cannot_be_dealt_is_refused_with_those_that_can() -> None:
    message = "a batch of 10 sequences cannot be dealt evenly to 4 workers; `batch_size=8` or `batch_size=12` can"
    with pytest.raises(TrainingError, match=re.escape(message)):
        Cluster(("a:1", "b:1", "c:1", "d:1"), 2).rows(10)
    with pytest.raises(TrainingError, match=r"workers; `batch_size=2` can"):
        Cluster(("a:1", "b:1"), 0).rows(1)


@pytest.mark.parametrize(
    ("workers", "index", "message"),
    [
        (("a:1",), 0, "`workers` must be 2 to 1,024 addresses, not 1"),
        (("a:1", "a:1"), 0, "`workers` has a:1 twice"),
        (("a:1", "b"), 0, "`workers` must be addresses such as 192.168.0.2:8470 or [fd00::2]:8470, not 'b'"),
        (("a:1", "b:65536"), 0, "not 'b:65536'"),
        (("a:1", "b:0"), 0, "not 'b:0'"),
        (("a:1", " b:1"), 0, "not ' b:1'"),
        (("a:1", "b\x1b:1"), 0, r"not 'b\x1b:1'"),
        (("a:1", "b:1"), 2, "`worker_index` must be a whole number from 0 to 1, not 2"),
    ],
)
def test_addresses_and_indices_that_are_none_are_refused(workers: tuple[str, ...], index: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Cluster(workers, index)


def test_addresses_may_be_given_in_one_string_with_an_index() -> None:
    assert from_words(",".join(TWO), 1, 60.0) == Cluster(TWO, 1, 60.0)
    with pytest.raises(ValueError, match="`workers` needs `worker_index`"):
        from_words(",".join(TWO), None, 60.0)


def tf_config(**cluster: object) -> dict[str, str]:
    task = cluster.pop("task", {"type": "worker", "index": 1})
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def test_tf_config_names_workers_with_or_without_a_chief() -> None:
    assert from_environment({}, worker_timeout=9) is None
    assert from_environment(tf_config(worker=list(TWO)), worker_timeout=9) == Cluster(TWO, 1, 9.0)
    with_chief = tf_config(chief=["c:1"], worker=list(TWO))
    assert from_environment(with_chief, worker_timeout=9) == Cluster(("c:1", *TWO), 2, 9.0)
    chief = tf_config(chief=["c:1"], worker=list(TWO), task={"type": "chief", "index": 0})
    assert from_environment(chief, worker_timeout=9) == Cluster(("c:1", *TWO), 0, 9.0)
    one = tf_config(worker=["a:1"], task={"type": "worker", "index": 0})
    assert from_environment(one, worker_timeout=9) is None


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"TF_CONFIG": "{"}, "it is no JSON"),
        ({"TF_CONFIG": "[]"}, "a part of it is no object"),
        ({"TF_CONFIG": "{}"}, "it has no 'cluster'"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}}'}, "it has no 'task'"),
        (tf_config(worker="a:1"), "its worker is no list of addresses"),
        (tf_config(worker=[1, 2]), "its worker is no list of addresses"),
        (tf_config(worker=["a:1", "b"]), "not 'b'"),
        (tf_config(worker=["a:1"]), "its task is 'worker' 1, which its cluster does not have"),
        (tf_config(worker=list(TWO), task={"type": "worker", "index": "x"}), "its task is 'worker' 'x'"),
        (tf_config(worker=list(TWO), ps=["p:1"]), "its cluster has tasks 'ps', and only chief and worker train here"),
        (tf_config(), "its cluster is empty"),
    ],
)
def test_a_malformed_tf_config_is_refused_in_one_line(environment: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=r"^TF_CONFIG is malformed \(") as raised:
        from_environment(environment, worker_timeout=9)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


def test_slurm_s_variables_are_expected_together() -> None:
    whole = dict(zip(VARIABLES, ("1", "4", "node[1-2]", "2(x2)"), strict=True))
    for name in VARIABLES:
        part = {other: value for other, value in whole.items() if other != name}
        with pytest.raises(ValueError, match=f"`workers` is slurm, but {name} is not set; start textgen with srun"):
            from_slurm(part, worker_timeout=9)


def test_a_slurm_step_s_tasks_are_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("textgen.training.backend")
    for name, value in zip(VARIABLES, ("2", "4", "node[1-2]", "2(x2)"), strict=True):
        monkeypatch.setenv(name, value)
    workers = ("node1:8888", "node1:8889", "node2:8888", "node2:8889")
    assert from_slurm(worker_timeout=9) == Cluster(workers, 2, 9.0)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "3")
    with pytest.raises(ValueError, match="what Slurm tells of its tasks is not complete"):
        from_slurm(worker_timeout=9)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "4")
    with pytest.raises(ValueError, match="not complete \\(SLURM_PROCID is 4, and it has 4 tasks\\)"):
        from_slurm(worker_timeout=9)
