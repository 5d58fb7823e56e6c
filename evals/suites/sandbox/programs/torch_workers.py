"""Torch with workers that load the data, which share memory with it."""

import torch
from torch.utils.data import DataLoader, TensorDataset
from attack import *

if __name__ == "__main__":
    data = TensorDataset(torch.arange(100.0))
    assert sum(float(batch[0].sum()) for batch in DataLoader(data, batch_size=10, num_workers=2)) == 4950
    done()
