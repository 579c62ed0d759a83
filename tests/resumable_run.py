"""A training run that a test kills at any moment: python tests/resumable_run.py FOLDER

Everything that could differ after a resumption is in it: shuffling, dropout, running statistics, momenta, a schedule, early
stopping (after epoch 6, with the weights of epoch 4), and checkpoints within epochs. It says "step N" after each step, and
writes its weights as FOLDER/weights.npz.
"""

import signal
import sys
from pathlib import Path

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateLogger,
    ModelCheckpoint,
    Trainer,
    accuracy,
)
from tinygrad_nuc.utils.data import DataLoader, TensorDataset


class SayStep(Callback):
    order = 3                                   # after the checkpoint has been written

    def on_batch_end(self, trainer, loss):
        print("step", trainer.step, flush=True)


def run(folder, callbacks=(), epochs=8):
    tn.manual_seed(11)
    x = tn.randn(60, 3)
    y = (x.sum(1, keepdim=True) + 0.3 * tn.randn(60, 1) > 0).float()
    train = DataLoader(TensorDataset(x[:40], y[:40]), batch_size=8, shuffle=True)
    validation = DataLoader(TensorDataset(x[40:], y[40:]), batch_size=20)
    model = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    trainer = Trainer(model, nn.BCEWithLogitsLoss(), optimizer, metrics={"accuracy": accuracy},
                      scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30), scheduler_interval="step",
                      callbacks=[ModelCheckpoint(folder, every_n_steps=3), EarlyStopping(patience=2, min_delta=0.05), LearningRateLogger(),
                                 CSVLogger(folder / "history.csv"), *callbacks], clip_grad_norm=1.0, progress=False)
    trainer.fit(train, validation, epochs=epochs, resume="last")
    return trainer


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)       # a shell may have started the tests with Ctrl-C ignored
    folder = Path(sys.argv[1])
    trained = run(folder, [SayStep()])
    np.savez(folder / "weights.npz", **{name: t.numpy() for name, t in trained.model.state_dict().items()})
    print("finished", flush=True)
