"""Several workers of the command, in processes of their own, with the learner of a few lines in TensorFlow's place."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import pytest

from scripts.kill_test import outcome
from tests.conftest import COMMAND, QUICK_COMMAND, TEXT, run_here
from textgen.cli.workers import free_ports, like_this, started_here
from textgen.training.channel import LENGTH
from textgen.training.cluster import Cluster

LONG = ["--epochs", "100000", "--patience", "100000"]
OPTIONS = "--batch-size 6 --units 8 --layers 1 --rng-seed 1".split()


class Worker:
    """A process of the command."""

    def __init__(self, folder: Path, workers: Sequence[str], index: int, *words: str) -> None:
        self.run, self._errors = folder / f"run-{index}", folder / f"errors-{index}"
        command = [*QUICK_COMMAND, "train", str(folder / "fox.txt"), "-o", str(self.run), *OPTIONS]
        command += [f"--workers={','.join(workers)}", f"--worker-index={index}", *words]
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)

    def end(self) -> tuple[int, list[str]]:
        """Its exit code and the lines that it has told."""
        code = self.process.wait(120)
        return code, self._errors.read_text().splitlines()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def workers(folder: Path, *words: str, count: int = 2, options: Mapping[int, Sequence[str]] = {}) -> Iterator[list]:
    """So many workers, with their addresses; they are killed at the end if they are still there."""
    (folder / "fox.txt").write_text(TEXT * 60)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    with ExitStack() as stack:
        started = []
        for index in range(count):
            started.append(Worker(folder, addresses, index, *words, *options.get(index, ())))
            stack.callback(started[-1].kill)
        yield [*started, addresses]


def wait_for_checkpoint(run: Path) -> None:
    deadline = time.monotonic() + 60
    while not (run / "checkpoint").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


AGAIN = "start the run again on all workers, with --resume"


def test_the_chief_alone_writes_the_run_and_the_others_a_log(tmp_path: Path) -> None:
    with workers(tmp_path, "--epochs", "2", count=3) as (chief, one, two, addresses):
        ends = [worker.end() for worker in (chief, one, two)]
    assert [code for code, _ in ends] == [0, 0, 0], ends
    assert {path.name for path in chief.run.iterdir()} >= {"model.keras", "history.csv"}
    assert [path.name for path in two.run.iterdir()] == ["worker-2.log"]
    assert any("Stopped: all planned epochs are done." in line for line in ends[0][1])
    assert ends[1][1] == [f"Worker 1 of 3; the chief is {addresses[0]}. Log: {one.run / 'worker-1.log'}"]
    log = (one.run / "worker-1.log").read_text().splitlines()
    assert [line.split(" ", 2)[2].split()[0] for line in log] == ["Worker", "joined:", "step", "ended:"]


@pytest.mark.parametrize("who", [0, 1])
def test_a_killed_worker_ends_the_run_on_all_with_one_line(tmp_path: Path, who: int) -> None:
    with workers(tmp_path, *LONG, count=3) as (*started, addresses):
        wait_for_checkpoint(started[0].run)
        started[who].kill()
        told = f"worker 1 ({addresses[1]}): it" if who else f"the chief ({addresses[0]})"
        expected = f"textgen: error: {told} is lost, since its connection was closed; {AGAIN}"
        for worker in started:
            if worker is not started[who]:
                code, lines = worker.end()
                assert (code, lines[-1]) == (1, expected)
                assert sum("error" in line for line in lines) == 1


def test_a_worker_that_is_stopped_ends_the_run_on_all_within_the_timeout(tmp_path: Path) -> None:
    with workers(tmp_path, *LONG, "--worker-timeout=6", count=3) as (chief, one, two, addresses):
        wait_for_checkpoint(chief.run)
        two.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        for worker in (chief, one):
            code, lines = worker.end()
            expected = f"worker 2 ({addresses[2]}): it is lost, since nothing was heard of it for 6 s; {AGAIN}"
            assert (code, lines[-1]) == (1, f"textgen: error: {expected}")
        assert time.monotonic() - begun < 20
        two.process.send_signal(signal.SIGCONT)
        assert two.end()[0] == 1


@pytest.mark.parametrize(("who", "number"), [(0, signal.SIGINT), (1, signal.SIGTERM)])
def test_a_signal_to_any_worker_ends_all_in_order_and_the_run_can_go_on(
    tmp_path: Path, who: int, number: signal.Signals
) -> None:
    words = ["--epochs=60", "--patience=100", "--checkpoint-every=0"]
    with workers(tmp_path, *words) as (*started, _):
        wait_for_checkpoint(started[0].run)
        started[who].process.send_signal(number)
        ends = [worker.end() for worker in started]
    assert [code for code, _ in ends] == [128 + number] * 2, ends
    assert any("Resume:  textgen train --resume" in line for line in ends[0][1])
    with workers(tmp_path, "--resume", *words[:2]) as (*started, _):
        assert [worker.end()[0] for worker in started] == [0, 0]
    (tmp_path / "whole").mkdir()
    with workers(tmp_path / "whole", *words) as (*whole, _):
        assert [worker.end()[0] for worker in whole] == [0, 0]
    assert outcome(started[0].run) == outcome(whole[0].run)


def test_with_another_number_of_workers_a_resumed_run_says_that_it_ends_otherwise(tmp_path: Path) -> None:
    with workers(tmp_path, *LONG) as (*started, _):
        wait_for_checkpoint(started[0].run)
        started[0].process.send_signal(signal.SIGINT)
        assert started[0].end()[0] == 130
    with subprocess.Popen(
        [*QUICK_COMMAND, "train", "--resume", "-o", str(started[0].run)], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            told = "".join(islice(process.stderr or [], 5))
        finally:
            process.kill()
    assert "Note: the run had 2 workers and goes on with 1 worker: it will not end" in told


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({1: ["--units", "9"]}, "worker 1 ({1}): `units` is 9, and the chief's is 8; start all workers alike"),
        ({1: ["--lowercase"]}, "worker 1 ({1}): its text's SHA-256 is "),
        (
            {1: ["--worker-index", "2"]},
            "two workers have --worker-index 2, one of them on 127.0.0.1; give each its own",
        ),
    ],
)
def test_workers_that_were_started_otherwise_are_refused_by_name(
    tmp_path: Path, options: Mapping[int, Sequence[str]], expected: str
) -> None:
    with workers(tmp_path, *LONG, count=3 if "two" in expected else 2, options=options) as (*started, addresses):
        for worker in started:
            code, lines = worker.end()
            assert code == 1
            assert lines[-1].startswith(f"textgen: error: {expected.format(*addresses).replace('`units`', '--units')}")


def test_workers_that_do_not_come_are_named(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    with socket.create_server(("127.0.0.1", 0)) as busy:
        here = f"127.0.0.1:{busy.getsockname()[1]}"
        ends = [
            Worker(tmp_path, workers, index, "--worker-timeout=1").end()
            for workers, index in ((addresses, 0), (addresses, 1), ((addresses[0], here), 1))
        ]
    assert [code for code, _ in ends] == [1, 1, 1]
    first, second, third = (" ".join(lines).partition("textgen: error: ")[2] for _, lines in ends)
    assert first.startswith(
        f"worker 1 ({addresses[1]}) did not join within 1 s; start each worker within --worker-timeout"
    )
    assert second.startswith(f"the chief ({addresses[0]}) does not answer after 1 s (Connection refused); start it too")
    assert third.startswith(
        f"port {here.split(':')[1]} of this worker ({here}) is in use; end the program that uses it"
    )


def test_strangers_at_the_port_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    chief = Worker(tmp_path, addresses, 0, "--epochs", "1")
    for content in (b"GET / HTTP/1.1\r\n\r\n", LENGTH.pack(2, 0) + b"[]", b""):
        connect(addresses[0], content)
    other = Worker(tmp_path, addresses, 1, "--epochs", "1")
    ends = [worker.end() for worker in (chief, other)]
    assert [code for code, _ in ends] == [0, 0], ends


def connect(address: str, content: bytes) -> None:
    """Connect as soon as someone listens, send something, and leave."""
    host, port = address.split(":")
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(content)
            return
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--workers", "a:1,b:1"], "--workers needs --worker-index"),
        (["--worker-index", "1"], "--worker-index needs --workers with addresses"),
        (["--workers", "a:1,b", "--worker-index", "0"], "--workers must be addresses such as"),
        (["--workers", "a:1,b:1", "--worker-index", "2"], "--worker-index must be a whole number from 0 to 1, not 2"),
        (["--workers", "a:1,b:1", "--local-workers", "2"], "--local-workers and --workers exclude each other"),
        (["--local-workers", "2", "-"], "workers cannot share standard input; give a file."),
        (["--workers", "slurm"], "--workers is slurm, but SLURM_PROCID, SLURM_STEP_NODELIST, "),
        (["--local-workers", "2", "--seeds", "2"], "several workers and --seeds exclude each other"),
        (["--local-workers", "2", "--teacher", "x"], "several workers and --teacher exclude each other"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(tmp_path: Path, words: list[str], expected: str) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    result = run_here("train", "fox.txt", *words, cwd=tmp_path)
    assert result.returncode == 2
    assert expected in result.stderr.splitlines()[-1]


def test_a_malformed_tf_config_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "{")
    (tmp_path / "fox.txt").write_text(TEXT * 60)
    result = run_here("train", "fox.txt", cwd=tmp_path)
    assert (result.returncode, "Error: TF_CONFIG is malformed (it is no JSON" in result.stderr) == (2, True)


def test_workers_of_this_machine_do_not_wait_for_a_chief_that_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgen.cli.workers.HASTE", 0.1)
    monkeypatch.setattr("textgen.cli.workers.like_this", lambda words, cluster: ["sleep", "20"])
    begun = time.monotonic()
    with pytest.raises(ValueError, match="refused"), started_here(Cluster(("a:1", "b:1"), 0), str(tmp_path), []):
        raise ValueError("refused")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("train a.txt --local-workers 2 -o run", "train {} a.txt -o run"),
        ("--debug train --local-workers=2 -- a.txt --local-workers=3", "--debug train {} -- a.txt --local-workers=3"),
    ],
)
def test_the_workers_of_this_machine_get_the_same_words(words: str, kept: str) -> None:
    cluster = Cluster(("127.0.0.1:1", "127.0.0.1:2"), 1)
    mine = "--workers=127.0.0.1:1,127.0.0.1:2 --worker-index=1 --worker-timeout=60 --quiet"
    assert like_this(words.split(), cluster) == [*COMMAND, *kept.format(mine).split()]
