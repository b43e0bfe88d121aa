"""textgen's network and optimizer in PyTorch: `nn.LSTM`, initialised as Keras does, AdamW and clipping."""

import torch
from torch import Tensor, nn

from textgen.training.recipe import BETA_2, GRADIENT_NORM, WEIGHT_DECAY

States = tuple[Tensor, Tensor]  # h and c, each (layers, B, H)


class Twin(nn.Module):
    """Embedding → LSTM, dropout after each layer → logits."""

    def __init__(self, symbols: int, embedding: int, units: int, layers: int, dropout: float) -> None:
        """Build and initialise."""
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.lstm = nn.LSTM(embedding, units, layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units, symbols)
        self._initialise(units)

    def _initialise(self, units: int) -> None:
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                nn.init.ones_(parameter.data[units : 2 * units])  # PyTorch's gates: i, f, g, o
            elif name.startswith("bias_hh"):
                parameter.requires_grad_(False)  # a second bias of each gate, which Keras has not: it would learn twice
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def start(self, streams: int) -> States:
        """States of zeros."""
        shape = (self.lstm.num_layers, streams, self.lstm.hidden_size)
        return torch.zeros(shape), torch.zeros(shape)

    def forward(self, codes: Tensor, states: States) -> tuple[Tensor, States]:
        """Codes `(T, B)` → logits `(T, B, V)`, and the states at the end."""
        outputs, states = self.lstm(self.embedding(codes), states)
        return self.head(self.dropout(outputs)), states


def make_optimizer(twin: Twin) -> torch.optim.Optimizer:
    """textgen's, as PyTorch's fastest."""
    return torch.optim.AdamW(
        twin.parameters(), lr=0.0, betas=(0.9, BETA_2), eps=1e-7, weight_decay=WEIGHT_DECAY, fused=True
    )


def train_step(
    twin: Twin, optimizer: torch.optim.Optimizer, window: tuple[Tensor, Tensor], states: States, learning_rate: float
) -> tuple[float, States]:
    """Train on a window of codes and targets, both `(T, B)`; return its loss and the states at its end."""
    codes, targets = window
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    logits, (h, c) = twin(codes, states)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(twin.parameters(), GRADIENT_NORM)
    optimizer.step()
    return loss.item(), (h.detach(), c.detach())
