"""Experiments: a config (plain data), the one place where its names become objects, presets, and the run it leaves."""

from .about import citations_of as citations_of
from .atlas import write_atlas as write_atlas
from .audit import audit_of_config as audit_of_config
from .audit import audit_of_module as audit_of_module
from .build import Experiment as Experiment
from .build import build as build
from .choose_metrics import all_metrics as all_metrics
from .choose_metrics import default_metrics as default_metrics
from .choose_metrics import score_of as score_of
from .complete import complete as complete
from .config import Config as Config
from .configure import configure as configure
from .dynamics import Dynamics as Dynamics
from .evaluate import Drawn as Drawn
from .evaluate import Evaluator as Evaluator
from .evaluate import evaluator_of as evaluator_of
from .exporting import export as export
from .presets import PRESETS as PRESETS
from .reading import read_config as read_config
from .reading import to_yaml as to_yaml
from .run import Run as Run
from .run import save_samples as save_samples
from .running import default_out as default_out
from .running import train as train
from .sampler import Sampler as Sampler
from .tuned import tuned_config as tuned_config
