"""Training: the loop, what happens around it, and what it leaves behind."""

from .callbacks import Callback, CSVLogger, EarlyStopping, LearningRateLogger, ProgressBar
from .cards import model_card
from .checkpoint import ModelCheckpoint
from .history import History
from .metrics import accuracy
from .parameter_log import ParameterLogger
from .trainer import Trainer
