"""What follows the last step of a run: calibration, the comparison with the baselines, the curve."""

from dataclasses import replace

from textgen.evaluation.baselines import Baseline, baselines
from textgen.model_file import read_model
from textgen.training.calibration import Calibration, calibrate
from textgen.training.curve import can_draw, draw_curve
from textgen.training.learner import Learner
from textgen.training.plan import Plan
from textgen.training.run_folder import RunFolder


def calibrate_best(folder: RunFolder, plan: Plan, learner: Learner) -> Calibration | None:
    """Calibrate the best weights, unless the run was interrupted after that had been done.

    The model file alone has them. It is left as it is until no step can follow: a run that is resumed compares its next
    weights with them.
    """
    if folder.kept is None or folder.kept.validation_nats is None or folder.kept.temperature is not None:
        return None
    best, codes = read_model(folder.model), plan.corpus.codes
    calibrated = calibrate(best.weights, codes, len(codes) - plan.hold_out, folder.kept.validation_nats)
    if calibrated is None:
        return None
    weights, calibration = calibrated
    training = replace(folder.kept, validation_nats=calibration.nats, temperature=calibration.temperature)
    folder.save_model(lambda path: learner.save(path, weights.arrays), replace(best.description, training=training))
    return calibration


def finish(folder: RunFolder, plan: Plan, best: float | None) -> list[Baseline]:
    """Compare with the baselines, draw the curve, and remove the checkpoints."""
    corpus = plan.corpus
    compared = []
    if best is not None:
        learnt = len(corpus) - plan.hold_out
        compared = baselines(corpus.codes[:learnt], corpus.codes[learnt:], corpus.vocabulary)
    if can_draw():
        folder.save_curve(lambda path: draw_curve(corpus.name, plan.model.dropout, folder.rows, compared, path))
    folder.finish()
    return compared
