"""The part of a training that a worker does that is not the chief: what it is told, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from textgen.corpus.corpus import Corpus
from textgen.errors import TextgenError
from textgen.training.channel import END, Message
from textgen.training.checkpoint import Checkpoint
from textgen.training.cluster import Cluster
from textgen.training.interruption import interruptible
from textgen.training.leading import PLAN, RESTORE, STATES, STEP, blaming, given, of_rows, terms
from textgen.training.learner import Learner
from textgen.training.limit import first_planned
from textgen.training.member import Member
from textgen.training.plan import Plan
from textgen.training.progress import Event, Stepped, TrainingResult
from textgen.training.resume import Unfinished
from textgen.training.run import started_event
from textgen.training.run_folder import RunFolder


def follow(
    cluster: Cluster,
    output: str | Path,
    *,
    options: Mapping[str, Any],
    read: Callable[[Unfinished], Corpus],
    make: Callable[[Plan], Learner],
    on_progress: Callable[[Event], None],
) -> TrainingResult:
    """Take part in a run that the chief leads, until it ends.

    Args:
        cluster: the workers.
        output: the run folder on the chief, which messages name.
        options: what the run was started with, which must be the same on all workers.
        read: returns the text of the run.
        make: makes the learner of a plan.
        on_progress: called with `Started`, each `Stepped`, and the result.

    Returns:
        What the chief has told at the end: the model is on its machine.

    Raises:
        TrainingError: the chief or another worker is lost, cannot be reached, or has ended the run with an error.
        RunError: the text is another one than the chief's.
    """
    member = Member(cluster, terms(cluster.workers, options))
    try:
        plan = _plan(member.order(), output, cluster, read)
        member.tell(PLAN)
        learner = make(plan)
        member.alarm.abort = learner.abort
        on_progress(started_event(plan, learner, 0, [f"worker {cluster.worker_index} of {len(cluster.workers)}"]))
        result = _take_part(member, learner, plan, on_progress)
    except (TextgenError, ValueError) as error:
        member.fail(str(error))
        raise
    finally:
        member.part()
    on_progress(result)
    return result


def _plan(order: Message, output: str | Path, cluster: Cluster, read: Callable[[Unfinished], Corpus]) -> Plan:
    """The chief's plan, for the text as this worker has it."""
    meta = {**order.values, "history": [], "elapsed": 0.0}
    begun = Unfinished(RunFolder(Path(output)), Checkpoint(meta, {}), None)
    return replace(begun.plan(read(begun)), cluster=cluster)


def _take_part(member: Member, learner: Learner, plan: Plan, on_progress: Callable[[Event], None]) -> TrainingResult:
    """Do what the chief orders."""
    windows = plan.windows
    characters = windows.streams * windows.length
    with interruptible(member.interruption):
        while (order := member.order()).kind != END:
            if order.kind == STEP:
                number = order.values["number"]
                member.begin_step()
                with blaming(member.alarm):
                    loss = learner.train(*windows.window(number), windows.begins(number), number, order.values["rate"])
                done = number + 1
                planned = max(done, first_planned(plan))
                on_progress(Stepped(done, planned, loss, done / windows.per_epoch, done * characters, None))
            elif order.kind == STATES:
                member.tell(STATES, arrays=learner.state()["states"])
            elif order.kind == RESTORE:
                learner.restore(of_rows(given(order), plan.rows))
    values = order.values
    return TrainingResult(
        Path(values["model"]), values["validation_nats"], values["epochs"], values["seconds"], values["stopped_by"], []
    )
