"""Optuna's own plots of a study, as pictures in a folder."""

import warnings
from pathlib import Path
from typing import Any

from textgen.atomic_file import replacing
from textgen.errors import RunError, reason

PLOTS = {  # by their files
    "history.png": "plot_optimization_history",
    "intermediate-values.png": "plot_intermediate_values",
    "importances.png": "plot_param_importances",
    "slices.png": "plot_slice",
    "parallel-coordinates.png": "plot_parallel_coordinate",
    "timeline.png": "plot_timeline",
}
WIDE = {"slices.png": (24.0, 5.0), "parallel-coordinates.png": (16.0, 6.0)}  # inches
LOSS = "validation loss (nats)"
LEAST = 3  # finished trials with differing losses, for the importances


def draw_study(study: Any, folder: Path) -> None:
    """Draw a study that has finished trials.

    Raises:
        RunError: the folder cannot be written.
    """
    import matplotlib as mpl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Optuna's plots are experimental to it, and warn of what cannot be compared.
        with mpl.rc_context({"backend": "agg"}), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, plot in PLOTS.items():
                _draw(study, plot, folder / name, WIDE.get(name))
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({reason(error)}); name another folder with `plot`") from error


def _draw(study: Any, plot: str, path: Path, size: tuple[float, float] | None) -> None:
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.trial import TrialState
    from optuna.visualization import matplotlib as plots

    options: dict[str, Any] = {} if plot in ("plot_timeline", "plot_intermediate_values") else {"target_name": LOSS}
    if plot == "plot_param_importances":
        values = {trial.value for trial in study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])}
        if len(values) < LEAST:
            return
        options["evaluator"] = PedAnovaImportanceEvaluator()  # the others need scikit-learn
    axes = getattr(plots, plot)(study, **options)
    figure = (axes if hasattr(axes, "figure") else axes.flat[0]).figure
    try:
        if size is not None:
            figure.set_size_inches(size)
            for each in figure.axes:  # where there is a number at each decade, those between lie on each other
                each.xaxis.set_minor_formatter(NullFormatter())
                each.yaxis.set_minor_formatter(NullFormatter())
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=120, format="png", bbox_inches="tight")
    finally:
        pyplot.close(figure)
