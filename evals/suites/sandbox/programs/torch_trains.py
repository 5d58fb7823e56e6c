"""Torch trains a small net on several threads, saves it and loads it again."""

import tempfile

import torch
from attack import *

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
x = torch.randn(500, 4)
y = x.sum(1, keepdim=True)
step = torch.optim.Adam(net.parameters(), lr=0.05)
for _ in range(100):
    step.zero_grad()
    loss = torch.nn.functional.mse_loss(net(x), y)
    loss.backward()
    step.step()
assert loss.item() < 0.5
saved = Path(tempfile.gettempdir()) / "net.pt"
torch.save(net.state_dict(), saved)
net.load_state_dict(torch.load(saved, weights_only=True))
done()
