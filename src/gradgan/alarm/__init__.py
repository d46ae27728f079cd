"""The alarm: rules that name a run's illness from its logged numbers. Imports no torch.

>>> from gradgan.alarm import History, examine
>>> found = examine(History([10, 20], [{"critic/loss": 1.0}, {"critic/loss": float("nan")}]), patience=5)
>>> [(finding.illness, finding.since) for finding in found]
[('divergence', 20)]
"""

from . import balance as balance
from . import collapse as collapse
from . import divergence as divergence
from . import overfitting as overfitting
from . import penalty as penalty
from .history import History as History
from .illness import ILLNESSES as ILLNESSES
from .illness import REACH as REACH
from .illness import Remedy as Remedy
from .watch import Evidence as Evidence
from .watch import Finding as Finding
from .watch import examine as examine
from .watch import not_measured as not_measured
