"""The command, with the learner of a few lines in TensorFlow's place: it starts in a tenth of the time.

For tests that need a process of the command's own, to end it or to close its streams, and do not ask what is learnt.
"""

import sys
from pathlib import Path
from unittest import mock

sys.path[0] = str(Path(__file__).parents[1])  # in place of this file's own folder

from tests.training.numpy_learner import INSTEAD  # noqa: E402
from textgen.cli import main  # noqa: E402

if __name__ == "__main__":
    for name, value in INSTEAD.items():
        mock.patch(name, value).start()
    main()
