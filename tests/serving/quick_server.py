"""The server, whose trainings are those of `tests/quick_command.py`: it does not wait for TensorFlow."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[2])  # in place of this file's own folder

from tests.conftest import QUICK_COMMAND  # noqa: E402
from textgen.cli import main  # noqa: E402
from textgen.serving import child  # noqa: E402

if __name__ == "__main__":
    child.COMMAND = QUICK_COMMAND
    main()
