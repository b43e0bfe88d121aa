"""What can go wrong with a user's files, told in one line.

    TextgenError
    ├── CorpusError      a text cannot be read, or is unfit for what was asked of it
    ├── ModelFileError   a model cannot be read, or is not one of textgen's
    ├── SeedError        a seed phrase has characters that are not in the model's vocabulary
    ├── RunError         a run folder or a file is taken, or cannot be written
    └── TrainingError    the training itself failed

A wrong argument of the library raises `ValueError` or `TypeError` instead. A message names arguments in backticks, as
Python writes them (`output`, `force=True`); the command line puts its options in their place.
"""


class TextgenError(Exception):
    """The base of all errors of textgen; its message says what, where, what was expected and what to do."""


class CorpusError(TextgenError):
    """A text cannot be read, or is unfit for what was asked of it."""


class ModelFileError(TextgenError):
    """A model cannot be read, or is not one of textgen's."""


class SeedError(TextgenError):
    """A seed phrase has characters that are not in the model's vocabulary."""


class RunError(TextgenError):
    """A run folder or a file is taken, or cannot be written."""


class TrainingError(TextgenError):
    """The training itself failed."""


def reason(error: OSError | UnicodeError) -> str:
    """The operating system's own words for an error, without number and path."""
    return getattr(error, "strerror", None) or str(error)
