"""Which weight? Search over fields of the config by cross-validation, on many processes and machines."""

from .answer import Answer as Answer
from .tune import tune as tune
