"""Schedules: the learning rates of two groups (0.1 and 0.5) at every t, and the momentum where it changes."""

import math

import numpy as np

LOSSES = [1.0, 0.9, 0.8, 0.8, 0.79995, 0.81, 0.7, 0.7, 0.7, 0.7, 0.7, 0.71, 0.72, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6,
          float("nan"), 0.6, 0.6, 0.5, -0.5, -0.5, -0.50004, -0.6, -0.6, -0.6, -0.6, -0.6, -0.6, -0.6, -0.6, -0.6]


def _optimizer(lib, kind="SGD", **settings):
    first, second = lib.zeros(1).requires_grad_(), lib.zeros(2).requires_grad_()
    return getattr(lib.optim, kind)([{"params": [first]}, {"params": [second], "lr": 0.5}], lr=0.1, **settings)


def _rates(optimizer, schedule, steps, arguments=()):
    """t, learning rates, get_last_lr() and momenta before each of so many steps, and after the last one."""
    rows = []
    for t in range(steps + 1):
        groups = optimizer.param_groups
        momenta = [group["betas"][0] if "betas" in group else group["momentum"] for group in groups]
        rows.append([schedule.last_epoch, *(group["lr"] for group in groups), *schedule.get_last_lr(), *momenta])
        if t < steps:
            optimizer.step()
            schedule.step(*arguments[t:t + 1])
    return np.array(rows)


def _with(lib, name, *arguments, steps=25, **settings):
    optimizer = _optimizer(lib)
    return _rates(optimizer, getattr(lib.optim.lr_scheduler, name)(optimizer, *arguments, **settings), steps)


def steps(lib):
    return [_with(lib, "StepLR", 4), _with(lib, "StepLR", 1, gamma=0.5), _with(lib, "StepLR", step_size=30),
            _with(lib, "MultiStepLR", [3, 8, 8, 20]), _with(lib, "MultiStepLR", (10, 5), gamma=0.5)]


def smooth(lib):
    return [_with(lib, "ExponentialLR", 0.9), _with(lib, "ExponentialLR", gamma=1.1),
            _with(lib, "ConstantLR"), _with(lib, "ConstantLR", 0.5, total_iters=3),
            _with(lib, "LinearLR"), _with(lib, "LinearLR", 0.1, total_iters=10),
            _with(lib, "LinearLR", start_factor=1.0, end_factor=0.01, total_iters=20)]


def cosines(lib):
    return [_with(lib, "CosineAnnealingLR", 20), _with(lib, "CosineAnnealingLR", 7, eta_min=0.02),
            _with(lib, "CosineAnnealingLR", 1),
            _with(lib, "CosineAnnealingWarmRestarts", 7), _with(lib, "CosineAnnealingWarmRestarts", 3, T_mult=2),
            _with(lib, "CosineAnnealingWarmRestarts", 2, 3, eta_min=0.02)]


def fractions_of_epochs(lib):
    rates = []
    for T_mult in (1, 2):
        optimizer = _optimizer(lib)
        schedule = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, T_mult)
        for epoch in range(9):
            for batch in range(4):
                optimizer.step()
                schedule.step(epoch + batch / 4)
                rates.append(schedule.get_last_lr())
    return np.array(rates)


def functions(lib):
    return [_with(lib, "LambdaLR", lambda t: 0.95 ** t), _with(lib, "LambdaLR", lambda t: min(1, t / 10)),
            _with(lib, "LambdaLR", [lambda t: t // 5, lambda t: 1 / (1 + t)])]


def _one_cycle(lib, kind, settings, total=20, **cycle):
    optimizer = _optimizer(lib, kind, **settings)
    schedule = lib.optim.lr_scheduler.OneCycleLR(optimizer, **{"max_lr": 0.4, "total_steps": total, **cycle})
    return _rates(optimizer, schedule, total - 1)


def one_cycle(lib):
    sgd, adam = ("SGD", {"momentum": 0.9}), ("Adam", {})
    return [_one_cycle(lib, *sgd), _one_cycle(lib, *adam), _one_cycle(lib, *sgd, anneal_strategy="linear"),
            _one_cycle(lib, *sgd, three_phase=True), _one_cycle(lib, *sgd, total=17, three_phase=True, pct_start=0.4),
            _one_cycle(lib, *sgd, cycle_momentum=False), _one_cycle(lib, *sgd, div_factor=5, final_div_factor=10),
            _one_cycle(lib, *adam, base_momentum=0.5, max_momentum=[0.8, 0.9], max_lr=[0.1, 1.0]),
            _one_cycle(lib, *sgd, total=12, total_steps=None, epochs=3, steps_per_epoch=4, pct_start=0.25),
            _one_cycle(lib, *sgd, pct_start=0.0), _one_cycle(lib, *sgd, pct_start=1.0),
            _one_cycle(lib, "RMSprop", {"momentum": 0.5}, anneal_strategy="linear", three_phase=True, pct_start=0.33)]


def plateau(lib):
    rows = []
    for settings in [{}, {"patience": 2}, {"patience": 0, "factor": 0.5}, {"patience": 1, "cooldown": 3},
                     {"mode": "max", "patience": 2}, {"patience": 1, "threshold": 0.15}, {"patience": 2, "min_lr": 0.01},
                     {"patience": 1, "threshold": 0.05, "threshold_mode": "abs"}, {"patience": 1, "min_lr": [0.05, 0.2]},
                     {"mode": "max", "threshold_mode": "abs", "threshold": 0.01, "patience": 3},
                     {"mode": "max", "threshold": 0.05, "patience": 3}, {"patience": 0, "factor": 0.1, "eps": 0.01}]:
        optimizer = _optimizer(lib)
        schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
        rates = _rates(optimizer, schedule, len(LOSSES), LOSSES)
        rows.append([*rates.ravel(), schedule.best, schedule.num_bad_epochs, schedule.cooldown_counter])
    return np.array(rows)


def sequences(lib):
    schedules = lib.optim.lr_scheduler
    rates = []
    for parts, milestones in [
        (lambda o: [schedules.LinearLR(o, 0.1, total_iters=5), schedules.CosineAnnealingLR(o, 15)], [5]),
        (lambda o: [schedules.ConstantLR(o, 0.5, 4), schedules.ExponentialLR(o, 0.9), schedules.StepLR(o, 3)], [4, 12]),
        (lambda o: [schedules.LambdaLR(o, lambda t: (t + 1) / 4), schedules.CosineAnnealingWarmRestarts(o, 5)], [3]),
        (lambda o: [schedules.ExponentialLR(o, 0.8), schedules.LambdaLR(o, lambda t: 0.5 ** t)], [7]),
        (lambda o: [schedules.MultiStepLR(o, [2, 4])], []),
    ]:
        optimizer = _optimizer(lib)
        rates.append(_rates(optimizer, schedules.SequentialLR(optimizer, parts(optimizer), milestones), 20))
    return rates


def two_at_once(lib):
    """Two schedules of one optimizer multiply; so does a change by hand."""
    optimizer = _optimizer(lib)
    schedules = lib.optim.lr_scheduler
    both = [schedules.ExponentialLR(optimizer, 0.9), schedules.MultiStepLR(optimizer, [3, 6], gamma=0.2)]
    rates = []
    for t in range(12):
        rates.append([*both[0].get_last_lr(), *both[1].get_last_lr(), *(group["lr"] for group in optimizer.param_groups)])
        optimizer.step()
        for schedule in both:
            schedule.step()
        if t == 4:
            optimizer.param_groups[0]["lr"] = 0.3
    for first, second in [(lambda o: schedules.CosineAnnealingLR(o, 10, eta_min=0.01),
                           lambda o: schedules.LinearLR(o, 0.5, total_iters=6)),
                          (lambda o: schedules.LinearLR(o, 0.5, total_iters=6), lambda o: schedules.ConstantLR(o, 0.25, 3)),
                          (lambda o: schedules.LinearLR(o, 0.5), lambda o: schedules.CosineAnnealingLR(o, 12))]:
        optimizer = _optimizer(lib)
        both = [first(optimizer), second(optimizer)]
        for t in range(9):
            rates.append([*both[0].get_last_lr(), *both[1].get_last_lr(), *(group["lr"] for group in optimizer.param_groups)])
            optimizer.step()
            for schedule in both:
                schedule.step()
    return np.array(rates)


def going_on(lib):
    """A run that is saved at t = 6 and goes on in a new optimizer and a new schedule."""
    schedules = lib.optim.lr_scheduler
    answers = []
    for make in [lambda o, **last: schedules.StepLR(o, 4, **last), lambda o, **last: schedules.CosineAnnealingLR(o, 9, **last),
                 lambda o, **last: schedules.LambdaLR(o, lambda t: math.exp(-t), **last),
                 lambda o, **last: schedules.OneCycleLR(o, 0.4, 15, **last)]:
        optimizer = _optimizer(lib, momentum=0.9)
        schedule = make(optimizer)
        before = _rates(optimizer, schedule, 6)
        saved, state = optimizer.state_dict(), schedule.state_dict()
        optimizer = _optimizer(lib, momentum=0.9)
        schedule = make(optimizer)
        optimizer.load_state_dict(saved)
        schedule.load_state_dict(state)
        answers += [before, _rates(optimizer, schedule, 7)]
        optimizer = _optimizer(lib, momentum=0.9)       # the other way: by the number of the last t that was used
        optimizer.load_state_dict(saved)
        answers.append(_rates(optimizer, make(optimizer, last_epoch=5), 7))
    return answers
