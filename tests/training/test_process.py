"""What training changes in the process that it runs in."""

import logging
import os
import subprocess
import sys
from threading import Event

import pytest

from textgen.training import process
from textgen.training.process import configure, importing, quiet


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_at_home", Event())
    configure()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_at_home", Event())


@pytest.mark.usefixtures("at_home")
def test_at_home_chatter_is_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"chatter\n")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


@pytest.mark.usefixtures("at_home")
def test_chatter_before_a_failure_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with quiet():
            os.write(2, b"chatter\n")
            raise ImportError("no TensorFlow")

    with pytest.raises(ImportError, match="no TensorFlow"):
        fail()
    assert capfd.readouterr().err == "chatter\n"


@pytest.mark.usefixtures("at_home")
def test_chatter_is_shown_when_it_is_asked_for(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "textgen"), quiet():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == "chatter\n"


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("stream", ["closed", "none"])
def test_a_closed_descriptor_is_no_error(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    if stream == "none":
        monkeypatch.setattr(sys, "stderr", None)
    saved = os.dup(2)
    os.close(2)
    try:
        with quiet():
            pass
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(2)
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@pytest.mark.usefixtures("away")
def test_elsewhere_nothing_is_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"another thread's\n")
    assert capfd.readouterr().err == "another thread's\n"


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("level", [None, "0"])
def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch, level: str | None) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    before = dict(os.environ)
    with importing():
        assert os.environ["KERAS_BACKEND"] == "tensorflow"
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == (level or "3")
    assert dict(os.environ) == before


HOST = """
import os, sys, threading
os.close(0), os.close(1)
done, lines = threading.Event(), 0

def write():
    global lines
    while not done.wait(0.001):
        os.write(2, b"a line of the host's\\n")
        lines += 1

thread = threading.Thread(target=write)
thread.start()
import textgen.training.process as process
process.keep_freed_memory = lambda: os.abort()
import textgen.training.backend as backend
from tensorflow.python.eager import context
assert not context.context()._initialized, "importing starts the runtime"
backend.tf.config.threading.set_inter_op_parallelism_threads(3)
backend.start()
assert context.context()._initialized
assert backend.tf.config.threading.get_inter_op_parallelism_threads() == 3
assert backend.GPU or backend.tf.config.threading.get_intra_op_parallelism_threads() > 0
done.set()
thread.join()
assert not process.ENVIRONMENT.keys() & os.environ.keys()
os.write(2, b"%d lines" % lines)
"""


def test_a_host_program_keeps_its_lines_its_environment_and_its_settings() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in process.ENVIRONMENT}
    done = subprocess.run([sys.executable, "-c", HOST], stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    count = lines.count("a line of the host's")
    assert lines[-1] == f"{count} lines"
    assert len(lines) > 50
