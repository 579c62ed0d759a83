"""Neural networks: modules, layers, activations, losses and initialisation, with PyTorch's names."""

from . import functional, init, utils
from .activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from .containers import ModuleDict, ModuleList, Sequential
from .convolution import AvgPool2d, Conv2d, MaxPool2d
from .flatten import Flatten, Unflatten
from .layers import Embedding, Linear
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    VonMisesFisherNLLLoss,
)
from .module import Module
from .normalisation import BatchNorm1d, BatchNorm2d, LayerNorm
from .parameter import Parameter
from .regularisation import Dropout, Dropout2d
