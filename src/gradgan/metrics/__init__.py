"""Metrics of generated samples: what was found, against what there is to find, each with its standard error.

>>> import torch
>>> from gradgan import metrics
>>> centres = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
>>> modes = metrics.METRICS.make("modes")
>>> modes(metrics.MixtureInput(torch.zeros(10, 2), centres, spread=0.1)).value
1.0
>>> real = metrics.RealFeatures(held_out=torch.randn(100, 4), training=torch.randn(100, 4))
>>> metrics.METRICS.make("frechet")(metrics.FeatureInput(torch.randn(100, 4) + 9, real)).value > 300
True
"""

from .classes import ClassShares as ClassShares
from .classes import class_histogram as class_histogram
from .classes import class_kl as class_kl
from .classes import class_kl_uniform as class_kl_uniform
from .classes import class_shares as class_shares
from .classes import classes as classes
from .classifier import Classifier as Classifier
from .classifier import trained_classifier as trained_classifier
from .estimate import BLOCKS as BLOCKS
from .estimate import Estimate as Estimate
from .estimate import share as share
from .feature_files import content_of as content_of
from .feature_files import features_of_file as features_of_file
from .feature_files import network_of_file as network_of_file
from .features import RAW as RAW
from .features import Features as Features
from .features import Own as Own
from .features import Range as Range
from .features import Raw as Raw
from .frechet import frechet as frechet
from .frechet import frechet_distance as frechet_distance
from .frechet import frechet_floor as frechet_floor
from .frechet import frechet_ratio as frechet_ratio
from .inception import Inception as Inception
from .kernel import kid as kid
from .kernel import squared_mmd as squared_mmd
from .metric import INPUTS as INPUTS
from .metric import METRICS as METRICS
from .metric import ClassInput as ClassInput
from .metric import CriticInput as CriticInput
from .metric import FeatureInput as FeatureInput
from .metric import GeneratorInput as GeneratorInput
from .metric import Metric as Metric
from .metric import MixtureInput as MixtureInput
from .metric import RealFeatures as RealFeatures
from .metric import fewest as fewest
from .metric import merit as merit
from .modes import high_quality as high_quality
from .modes import mixture_distance as mixture_distance
from .modes import modes as modes
from .modes import reverse_kl as reverse_kl
from .moments import Moments as Moments
from .neighbours import coverage as coverage
from .neighbours import density as density
from .neighbours import memorisation as memorisation
from .neighbours import precision as precision
from .neighbours import recall as recall
from .slopes import SlopeHistogram as SlopeHistogram
from .slopes import critic_lipschitz as critic_lipschitz
from .slopes import critic_slope as critic_slope
from .slopes import latent_sensitivity as latent_sensitivity
from .slopes import slope_histogram as slope_histogram
from .slopes import slope_histograms as slope_histograms
from .store import stored as stored
