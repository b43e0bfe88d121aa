"""textgen's peer: the same network of PyTorch's `nn.LSTM`, which textgen's own loop trains, and a loop that writes."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import SHAPE, SYMBOLS
from textgen.bfloat16 import rounded
from textgen.config import Shape
from textgen.training.learner import Arrays
from textgen.training.plan import Plan
from textgen.training.recipe import AVERAGED, BETA_2, GRADIENT_NORM

TEMPERATURE = 0.8
States = tuple[Tensor, Tensor]  # h and c, each (layers, B, H)
INITIAL = {  # by the first of these that is a part of a parameter's name
    "bias": nn.init.zeros_,
    "embedding": functools.partial(nn.init.uniform_, a=-0.05, b=0.05),
    "weight_hh": nn.init.orthogonal_,
    "": nn.init.xavier_uniform_,
}


class Twin(nn.Module):
    """Embedding → LSTM, dropout after each layer → logits; initialised as Keras does."""

    def __init__(self, symbols: int, shape: Shape) -> None:
        """Build and initialise."""
        super().__init__()
        self.embedding = nn.Embedding(symbols, shape.embedding)
        self.lstm = nn.LSTM(shape.embedding, shape.units, shape.layers, dropout=shape.dropout)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.units, symbols)
        for name, parameter in self.named_parameters():
            next(fill for part, fill in INITIAL.items() if part in name)(parameter)
            if "bias_ih" in name:
                nn.init.ones_(parameter.data[shape.units : 2 * shape.units])  # of the forget gate
            elif "bias_hh" in name:
                parameter.requires_grad_(False)  # a second bias of each gate, which Keras has not: it would learn twice

    def start(self, streams: int) -> States:
        """States of zeros."""
        shape = (self.lstm.num_layers, streams, self.lstm.hidden_size)
        return torch.zeros(shape), torch.zeros(shape)

    def forward(self, codes: Tensor, states: States) -> tuple[Tensor, States]:
        """Codes `(T, B)` → logits `(T, B, V)`, and the states at the end."""
        outputs, states = self.lstm(self.embedding(codes), states)
        return self.head(self.dropout(outputs)), states

    def weights(self) -> list[nn.Parameter]:
        """What is trained, in the order of textgen's layers."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]


class TorchLearner:
    """A `Learner` of textgen's: the twin with AdamW, clipping and averaged weights."""

    def __init__(self, plan: Plan, *, bfloat16: bool = False) -> None:
        """Build the network of a plan; its products are bfloat16's if told so, under `autocast`."""
        self._rng_seed, self._bfloat16 = plan.training.rng_seed, bfloat16
        torch.manual_seed(self._rng_seed)
        twin = Twin(len(plan.corpus.vocabulary), plan.model)
        self._twin, self._averages = twin, copy.deepcopy(twin)
        self._optimizer = torch.optim.AdamW(
            twin.weights(),
            lr=0.0,
            betas=(0.9, BETA_2),
            eps=1e-7,
            weight_decay=plan.training.weight_decay,
            fused=True,
        )
        self._states = twin.start(plan.training.batch_size)

    def train(self, codes: np.ndarray, targets: np.ndarray, begins: np.ndarray, number: int, rate: float) -> float:
        """Take one step."""
        torch.manual_seed(self._rng_seed * 2**20 + number)  # decides what dropout drops
        starting = torch.from_numpy(begins)[:, None]
        states = tuple(array.masked_fill(starting, 0.0) for array in self._states)
        inputs, expected = (torch.from_numpy(part.T).long() for part in (codes, targets))
        with torch.autocast("cpu", enabled=self._bfloat16):
            logits, ends = self._twin(inputs, states)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), expected.flatten())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._twin.weights(), GRADIENT_NORM)
        self._optimizer.param_groups[0]["lr"] = rate
        self._optimizer.step()
        self._states = tuple(array.detach().float() for array in ends)
        kept = min(AVERAGED, (1 + number) / (10 + number))
        with torch.no_grad():
            for average, weight in zip(self._averages.weights(), self._twin.weights(), strict=True):
                average.lerp_(weight, 1 - kept)
        return loss.item()

    def kept(self) -> list[np.ndarray]:
        """The averages, as Keras has its weights and textgen rounds them."""
        embedding, *others = (weight.detach().numpy() for weight in self._averages.weights())
        return [rounded(embedding), *(rounded(array.T.copy()) if array.ndim == 2 else array.copy() for array in others)]

    def save(self, path: Path) -> None:
        """Have PyTorch write the averages."""
        torch.save(self._averages.state_dict(), path)

    def state(self) -> Arrays:
        """Nothing: no comparison is resumed."""
        return {}


def writer(peer: str, streams: int) -> Callable[[], int]:
    """So many texts side by side: a function that writes a character of each, and returns how many these are.

    The network is untrained, which does not change its speed. `PyTorch, tuned` is set for few streams: on one thread,
    without oneDNN, which arranges the weights anew at each call.
    """
    if peer == "PyTorch, tuned":
        torch.backends.mkldnn.set_flags(False)
        torch.set_num_threads(1)
    twin = Twin(SYMBOLS, SHAPE).eval()
    codes, states = torch.zeros((1, streams), dtype=torch.int64), twin.start(streams)

    @torch.inference_mode()
    def write() -> int:
        nonlocal codes, states
        logits, states = twin(codes, states)
        codes = torch.multinomial(torch.softmax(logits[0] / TEMPERATURE, dim=1), 1).T
        codes.tolist()
        return streams

    return write
