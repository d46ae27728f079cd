"""The engine: the exact gradient of loss plus penalties, added to `.grad` by the cheapest way the critic allows.

>>> import torch
>>> from gradgan import losses, penalties
>>> from gradgan.engine import critic_backward
>>> from gradgan.training.objective import Term
>>> critic = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.LeakyReLU(0.2), torch.nn.Linear(8, 1))
>>> real, fake = torch.randn(4, 2), torch.randn(4, 2)
>>> parts = critic_backward(critic, real, fake, loss=losses.relativistic, terms=[Term(penalties.r1, 10.0)])
>>> parts.engine, parts.slopes["r1"].shape, critic[0].weight.grad.shape
('sweep', torch.Size([4]), torch.Size([8, 2]))
"""

from .backward import Engine as Engine
from .backward import critic_backward as critic_backward
from .parts import Parts as Parts
from .parts import TermLike as TermLike
