"""What tests of the Trainer share: a line through the origin to be learned, and a callback that acts at one moment."""

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import Callback, ModelCheckpoint, Trainer
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

X = np.ones((4, 1))


def loader(x, y, batch_size=2, **options):
    return DataLoader(TensorDataset(tn.tensor(x, dtype=tn.float64), tn.tensor(y, dtype=tn.float64)), batch_size, **options)


def line(weight):
    model = nn.Linear(1, 1, bias=False, dtype=tn.float64)
    nn.init.constant_(model.weight, weight)
    return model


def trainer(model, lr=0.1, loss=None, optimizer=None, **options):
    return Trainer(model, loss or nn.MSELoss(), optimizer or optim.SGD(model.parameters(), lr=lr), **options)


def checkpointed(folder, callbacks=(), model=None, scheduler=None, interval="epoch", metrics=None, optimizer=None):
    model = model or line(0.0)
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.1)
    return Trainer(model, nn.MSELoss(), optimizer, callbacks=[*callbacks, ModelCheckpoint(folder)], metrics=metrics,
                   scheduler=scheduler and scheduler(optimizer), scheduler_interval=interval)


class At(Callback):
    """Does something after one step, or after the validation of one epoch."""

    def __init__(self, act, step=None, epoch=None):
        self.act, self.step, self.epoch, self.interrupted_at = act, step, epoch, []

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            self.act(trainer)

    def on_epoch_end(self, trainer, row):
        if trainer.epoch == self.epoch:
            self.act(trainer)

    def on_interrupt(self, trainer):
        self.interrupted_at.append(trainer.step)
