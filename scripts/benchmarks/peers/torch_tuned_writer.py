"""PyTorch's loop, set for few streams: on one thread, without oneDNN, which arranges the weights anew at each call."""

import torch

from benchmarks.peers.torch_writer import open_model
from benchmarks.writer import main

if __name__ == "__main__":
    torch.backends.mkldnn.set_flags(False)
    torch.set_num_threads(1)
    main(open_model)
