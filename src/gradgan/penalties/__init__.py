"""Gradient penalties: where x what x how, one unweighted value per sample, for any critic and any sample shape.

>>> import torch
>>> from gradgan import penalties
>>> critic = torch.nn.Linear(3, 1, bias=False)
>>> real, fake = torch.randn(5, 3), torch.randn(5, 3)
>>> loss = critic(fake).mean() - critic(real).mean() + 10 * penalties.wgan_gp(critic, real, fake).mean()
>>> penalties.wgan_gp(critic, real, fake).shape
torch.Size([5])
"""

from . import judged as judged
from .approximate import ApproximatePenalty as ApproximatePenalty
from .approximate import approximate_r1 as approximate_r1
from .approximate import approximate_r2 as approximate_r2
from .around import dragan as dragan
from .between import wgan_gp as wgan_gp
from .between import wgan_lp as wgan_lp
from .between import zero_gp as zero_gp
from .centered import r1 as r1
from .centered import r2 as r2
from .conventions import r1_weight as r1_weight
from .latent import atgp as atgp
from .latent import g_gan as g_gan
from .parameter import consensus as consensus
from .parameter import gp_gan as gp_gan
from .penalty import PENALTIES as PENALTIES
from .penalty import InputGradientPenalty as InputGradientPenalty
from .penalty import LatentPenalty as LatentPenalty
from .penalty import ParameterPenalty as ParameterPenalty
