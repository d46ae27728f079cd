"""Metrics of generated samples: what was found, against what there is to find.

>>> import torch
>>> from gradgan import metrics
>>> centres = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
>>> metrics.modes(torch.zeros(10, 2), centres, spread=0.1).found
1
"""

from .classes import ClassCoverage as ClassCoverage
from .classes import class_coverage as class_coverage
from .modes import ModeCoverage as ModeCoverage
from .modes import modes as modes
