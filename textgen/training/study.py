"""The study of a search: Optuna's record of trials in a database, held to one text, space and budget."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textgen.errors import RunError
from textgen.training.search import DEFAULT, pruner

DATABASE = "study.db"  # in the study's folder
OF = "textgen"  # the study's attribute that says what it is of
LONGEST = 200  # characters of what a database says


@contextmanager
def opened(name: str, storage: str | None, folder: Path) -> Iterator[Any]:
    """Open a study, or create it.

    Args:
        name: of the study in the database.
        storage: the database's address; None is a file of SQLite in the folder.
        folder: of the search.

    Raises:
        RunError: the database cannot be used, at first or inside the block.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    address = storage or in_folder(folder)
    failures = (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, UnicodeError)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            try:
                study = optuna.create_study(
                    storage=address, study_name=name, pruner=pruner(), direction="minimize", load_if_exists=True
                )
            except (ValueError, RuntimeError) as error:  # an address of another kind, or tables of another version
                raise _unusable(address, error) from error
            yield study
    except failures as error:
        raise _unusable(address, error) from error
    finally:
        optuna.logging.set_verbosity(level)


def hold(study: Any, of: Mapping[str, Any], default: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Have a new study begin with the default settings, and refuse one that is of something else.

    Args:
        study: Optuna's.
        of: what it must be of, as JSON values by the names of the library's arguments, with the text's `sha256`.
        default: the default settings, as this machine would choose them.
        folder: of the search.

    Returns:
        The default settings that the study began with.

    Raises:
        RunError: the study is of something else; the message says what differs.
    """
    kept = study.user_attrs.get(OF)
    if kept is None:
        if study.get_trials(deepcopy=False):
            raise RunError(
                f"{folder}: the database has a study {study.study_name} of another program; name another folder with "
                "`output`, whose name is the study's"
            )
        kept = {"of": dict(of), DEFAULT: dict(default)}
        study.set_user_attr(OF, kept)
        study.enqueue_trial(dict(default), user_attrs={DEFAULT: True}, skip_if_exists=True)
    if other := _differences(of, kept["of"]):
        raise RunError(
            f"{folder}: {'; '.join(other)}; give what it was started with, or name another folder with `output`"
        )
    return dict(kept[DEFAULT])


def shown(address: str) -> str:
    """A database's address without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "the database"


def in_folder(folder: Path) -> str:
    """The address of the database in a search's folder."""
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(folder.absolute() / DATABASE)).render_as_string()


def _differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """What differs, in words."""
    found = []
    for name in dict.fromkeys([*then, *now]):
        one, other = now.get(name), then.get(name)
        if one != other and name == "sha256":
            found.append(f"the study was started on another text (SHA-256 {str(other)[:12]}…, not {str(one)[:12]}…)")
        elif one != other:
            found.append(f"`{name}` is {one}, but the study was started with {other}")
    return found


def _unusable(address: str, error: Exception) -> RunError:
    """The error of a database, in one line and without its password."""
    cause = error.__cause__ if type(error).__module__.startswith("optuna") and error.__cause__ else error
    words = next(iter(str(cause).splitlines()), type(cause).__name__)[:LONGEST]  # the others are SQL and addresses
    remedy = "install what reaches such a database" if isinstance(cause, ImportError) else "name another with `storage`"
    return RunError(f"{shown(address)}: the study's database cannot be used ({words}); {remedy}")
