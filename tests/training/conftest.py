import pytest

from tests.training import numpy_learner


@pytest.fixture(scope="module")
def quick():
    """Let `textgen.train` train the learner of a few lines of NumPy, in milliseconds, and draw no curve."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textgen.training.train.make_learner", numpy_learner.make_learner)
        for module in ("train", "limit"):
            patch.setattr(f"textgen.training.{module}.can_draw", lambda: False)
        patch.setattr("textgen.atomic_file.os.fsync", lambda _: None)  # no test cuts the power
        yield
