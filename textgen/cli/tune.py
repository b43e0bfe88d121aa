"""`textgen tune`: search the settings of training, and say whether they beat the default."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from textgen.arguments import shown
from textgen.cli.options import as_options, normalisation_options, number_option, source_options
from textgen.cli.terminal import write_json, write_line
from textgen.config import DEFAULT_TRIAL_MINUTES, DEFAULT_TRIAL_SEED, DEFAULT_TRIALS, MINUTES, RNG_SEED, TRIALS
from textgen.training.space import ALLOWED, USUAL, searched

SETTINGS = {
    "layers": "Number of recurrent layers.",
    "units": "Hidden units of each layer.",
    "cell": "Recurrent cell of the layers.",
    "dropout": "Dropout rate after each layer.",
    "learning_rate": "Peak learning rate.",
    "batch_size": "Number of sequences trained on in parallel.",
    "window": "Sequence length of a training step.",
    "weight_decay": "Weight decay of AdamW.",
}


class Within(click.ParamType[Any]):
    """A value, a range LOW:HIGH, or several values A,B,C."""

    name = "space"

    def __init__(self, setting: str) -> None:
        """Take the setting's name."""
        self.setting = setting

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the library takes for it, or fail."""
        try:
            found = self._parsed(str(value))
            searched(self.setting, found)
        except (ValueError, TypeError) as error:
            self.fail(f"{as_options(str(error))}.", param, ctx)
        return found

    def _parsed(self, word: str) -> Any:
        if ":" in word:
            return tuple(self._value(part) for part in word.split(":"))
        values = [self._value(part) for part in word.split(",")]
        return values if len(values) > 1 else values[0]

    def _value(self, word: str) -> Any:
        if self.setting not in ALLOWED:
            return word
        try:
            return ALLOWED[self.setting].kind(word)
        except ValueError as error:
            raise ValueError(
                f"expected {ALLOWED[self.setting]}, two of them such as {USUAL[self.setting]}, or several with commas "
                f"between, not {shown(word)}"
            ) from error


def _settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that limit what is searched."""
    for name, summary in reversed(SETTINGS.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(
            option, type=Within(name), metavar="SPACE", help=f"{summary}  [searched: {USUAL[name]}]"
        )(command)
    return command


@click.command("tune", short_help="Search the settings of training, and compare them with the default.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="Folder of the search, whose name is the study's.  [default: models/NAME-tune of the first text]",
)
@number_option(
    "--minutes",
    allowed=MINUTES,
    summary="Wall-clock budget of each training, in minutes.",
    default=DEFAULT_TRIAL_MINUTES,
)
@number_option(
    "--trials",
    allowed=TRIALS,
    summary=f"Trials in all. Default: {DEFAULT_TRIALS}, or as many as --total-minutes allow.",
)
@number_option(
    "--total-minutes",
    allowed=MINUTES,
    summary="Wall-clock budget of the whole command, with the trainings that confirm.",
)
@_settings
@click.option(
    "--storage",
    metavar="URL",
    help="Database of the study, which several machines may share, such as postgresql://user@host/name. Default: "
    "study.db in the folder, of SQLite.",
)
@click.option("--plot", type=click.Path(), metavar="FOLDER", help="Also draw Optuna's plots of the study into FOLDER.")
@source_options
@normalisation_options
@number_option(
    "--rng-seed",
    allowed=RNG_SEED,
    summary="Random seed of all trials. The three seeds after it confirm.",
    default=DEFAULT_TRIAL_SEED,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with losses in nats per character.")
def command(
    texts: tuple[str, ...],
    output: str | None,
    minutes: float,
    trials: int | None,
    total_minutes: float | None,
    storage: str | None,
    plot: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search the settings of training that give TEXT... the lowest validation loss within a wall-clock budget.

    Each trial trains for --minutes in a process of its own, with settings that Optuna proposes; the first has the
    default settings. A trial that is clearly worse than the others at the same time ends early (pruning). The best
    settings and the default are then trained with three other random seeds each, and recommended if they are better
    than chance explains: the answer may be that the default is as good. What is recommended is printed as a textgen
    train command.

    The same command goes on with an interrupted search, or with more --trials. A SPACE is a value, which is then fixed,
    a range LOW:HIGH, or values A,B,C. Needs the tune extra, and --plot the plot extra.
    """
    from textgen.cli.download import located
    from textgen.cli.tuned import TuningDisplay, lines
    from textgen.corpus.corpus import name_of
    from textgen.training.tuning import check_installed, search_minutes, tune

    if total_minutes is not None:
        try:
            search_minutes(minutes, total_minutes)
        except ValueError as error:
            raise click.UsageError(f"{as_options(str(error))}.") from error
    check_installed(plot)
    located(texts)
    space = {name: value for name in SETTINGS if (value := options.pop(name)) is not None}
    with TuningDisplay() as display:
        result = tune(
            *texts,
            output=str(Path("models") / f"{name_of(texts[0])}-tune") if output is None else output,
            minutes=minutes,
            trials=trials,
            total_minutes=total_minutes,
            space=space,
            storage=storage,
            plot=plot,
            on_progress=display,
            **options,
        )
    if as_json:
        write_json(result.to_dict())
        return
    for line in lines(result):
        write_line(line)
