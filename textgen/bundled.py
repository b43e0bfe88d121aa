"""The files that come with textgen: the catalog of texts and a model."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def bundled(name: str) -> Path:
    """Where the file `name` is: inside the package, where the wheel has it, or else in the checkout, if anywhere."""
    installed = PACKAGE / name
    return installed if installed.exists() else PACKAGE.parent / name
