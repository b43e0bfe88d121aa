"""Trains the PyTorch twin by textgen's recipe within a budget, and records its held-out loss.

Arguments: the text, the history, minutes, the rng seed, and when the process was started on `time.monotonic`'s clock.
"""

import copy
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks import history
from benchmarks.peers.torch_twin import Twin, make_optimizer, train_step
from benchmarks.recipe import Recipe
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Codes

STREAMS, CONTEXT = 32, 256  # the protocol of textgen's held-out loss
CHUNK = 256  # characters of each stream scored at once
COMPILED = 10  # steps after which steps are timed
SMOOTHING = 0.02  # of a step's time in the mean that the plan is made from


@torch.inference_mode()
def score(twin: Twin, codes: Codes, first: int) -> float:
    """Held-out nats: every character from `first` on, in 32 streams, each fed the 256 before it, the state carried."""
    twin.eval()
    bounds = np.linspace(first, len(codes), STREAMS + 1).astype(np.int64)
    offsets = np.arange(1 - CONTEXT, np.diff(bounds).max())[:, None]
    places = bounds[:-1] + offsets  # (L, 32)
    counted = torch.from_numpy((offsets >= 0) & (places < bounds[1:]))
    targets = torch.from_numpy(codes[np.clip(places, 0, len(codes) - 1)]).long()
    inputs = torch.from_numpy(codes[np.clip(places - 1, 0, len(codes) - 1)]).long()
    states, nats = twin.start(STREAMS), 0.0
    for part in (slice(start, start + CHUNK) for start in range(0, len(places), CHUNK)):
        logits, states = twin(inputs[part], states)
        losses = cross_entropy(logits.flatten(0, 1), targets[part].flatten(), reduction="none")
        nats += float(losses[counted[part].flatten()].double().sum())
    twin.train()
    return nats / (len(codes) - first)


def scoring_seconds(twin: Twin, corpus: Corpus, first: int) -> float:
    """About how long a scoring takes, from one of a tenth of the hold-out."""
    characters = len(corpus) - first
    begun = time.monotonic()
    score(twin, corpus.codes[: first + characters // 10], first)
    share = (CONTEXT + characters / 10 / STREAMS) / (CONTEXT + characters / STREAMS)
    return (time.monotonic() - begun) / share


def train(corpus: Corpus, recipe: Recipe, path: Path, deadline: float) -> None:
    """Train until the deadline."""
    model, windows = recipe.model, recipe.windows
    twin = Twin(len(corpus.vocabulary), model.embedding or 0, model.units, model.layers, model.dropout or 0.0)
    optimizer, average = make_optimizer(twin), copy.deepcopy(twin)  # the average is what is scored
    scoring = scoring_seconds(twin, corpus, recipe.first_held_out)
    step, step_seconds, states = 0, None, twin.start(windows.streams)
    while step < (planned := recipe.planned(step, deadline - time.monotonic(), step_seconds, scoring)):
        begun = time.monotonic()
        begins = torch.from_numpy(windows.begins(step))[:, None]
        states = tuple(array.masked_fill(begins, 0.0) for array in states)
        codes, targets = (torch.from_numpy(part.T).long() for part in windows.window(step))
        _, states = train_step(twin, optimizer, (codes, targets), states, recipe.learning_rate(step, planned))
        with torch.no_grad():
            for mean, weight in zip(average.parameters(), twin.parameters(), strict=True):
                mean.lerp_(weight, 1 - recipe.kept(step))
        step += 1
        taken = time.monotonic() - begun
        if step > COMPILED:
            step_seconds = taken if step_seconds is None else step_seconds + SMOOTHING * (taken - step_seconds)
        if recipe.is_scoring(step):
            begun = time.monotonic()
            history.record(path, score(average, corpus.codes, recipe.first_held_out))
            scoring = time.monotonic() - begun
    history.record(path, score(average, corpus.codes, recipe.first_held_out))


def main() -> None:
    """Train as told."""
    text, path, minutes, rng_seed, started = sys.argv[1:]
    history.begin(Path(path))
    torch.manual_seed(int(rng_seed))
    corpus = Corpus.from_files(text)
    recipe = Recipe.choose(corpus, float(minutes), int(rng_seed))
    train(corpus, recipe, Path(path), float(started) + 60 * float(minutes))


if __name__ == "__main__":
    main()
