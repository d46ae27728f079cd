"""Networks: generators, critics, encoders and fields for points and images, with or without class labels.

>>> import torch
>>> from gradgan import networks
>>> critic = networks.NETWORKS.make("mlp_critic", event=(1, 28, 28))
>>> critic(torch.randn(5, 1, 28, 28)).shape
torch.Size([5])
"""

from .activations import ACTIVATIONS as ACTIVATIONS
from .activations import activation as activation
from .dcgan import conv_critic as conv_critic
from .dcgan import conv_encoder as conv_encoder
from .dcgan import conv_field as conv_field
from .dcgan import conv_generator as conv_generator
from .mlp import mlp_critic as mlp_critic
from .mlp import mlp_encoder as mlp_encoder
from .mlp import mlp_field as mlp_field
from .mlp import mlp_generator as mlp_generator
from .residual import residual_critic as residual_critic
from .residual import residual_generator as residual_generator
from .roles import NETWORKS as NETWORKS
from .roles import CriticNetwork as CriticNetwork
from .roles import EncoderNetwork as EncoderNetwork
from .roles import FieldNetwork as FieldNetwork
from .roles import GeneratorNetwork as GeneratorNetwork
from .synchronised import synchronised as synchronised
