"""Schedules: what pytorch_cases/schedules.py does not compare: what is refused, warnings, changes by hand, state dicts."""

import copy
import importlib.util
import pickle
import warnings

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.optim import SGD, Adam, Optimizer, lr_scheduler
from tinygrad_nuc.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def optimizer(lr=1.0, groups=1, **settings):
    return SGD([{"params": [tn.zeros(1, requires_grad=True)]} for _ in range(groups)], lr=lr, **settings)


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return found


MAKE = {
    "StepLR": lambda s, o: s.StepLR(o, 3, 0.5), "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5], 0.5),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.5), "ConstantLR": lambda s, o: s.ConstantLR(o, 0.5, 6),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.25, total_iters=6), "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 8, 0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda t: 1 / (1 + t)), "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, 12),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.25), s.StepLR(o, 2), s.ExponentialLR(o, 0.5)], [3, 7]),
}


def test_every_schedule_is_among_them():
    public = {name: thing for name, thing in vars(lr_scheduler).items() if name[0].isupper()}
    assert {*MAKE, "LRScheduler", "ReduceLROnPlateau"} == public.keys()
    assert all(">>> " in thing.__doc__ for thing in public.values())


@pytest.mark.parametrize("name", MAKE)
def test_a_loaded_schedule_goes_on_to_the_same_bits(name, tmp_path):
    schedule = MAKE[name](lr_scheduler, optimizer(0.7))
    rates(schedule, 4)
    saved = copy.deepcopy((schedule.optimizer.state_dict(), schedule.state_dict()))
    on_host = schedule.optimizer.param_groups[0]["params"][0].device.type == "cpu"      # where a pickle would take it
    twin = pickle.loads(pickle.dumps(schedule)) if name != "LambdaLR" and on_host else copy.deepcopy(schedule)
    tn.save(saved[1], tmp_path / "schedule.npz")
    assert tn.load(tmp_path / "schedule.npz") == saved[1]
    expected = rates(schedule, 7)
    assert rates(twin, 7) == expected and len(set(expected)) > 1
    other = MAKE[name](lr_scheduler, optimizer(0.1))
    other.optimizer.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    assert rates(other, 7) == expected and other.get_last_lr() == schedule.get_last_lr()


def test_a_plateau_is_remembered():
    def go_on(schedule, steps):
        for _ in range(steps):
            schedule.step(1.0)
        return schedule.optimizer.param_groups[0]["lr"]
    schedule = ReduceLROnPlateau(optimizer(), patience=2, factor=0.5)
    assert go_on(schedule, 3) == 1.0
    other = ReduceLROnPlateau(optimizer(), patience=7)
    other.load_state_dict(schedule.state_dict())
    assert go_on(schedule, 1) == go_on(other, 1) == 0.5
    assert vars(other) == {**vars(schedule), "optimizer": other.optimizer}


if importlib.util.find_spec("torch"):
    @pytest.mark.parametrize("name", [*MAKE, "ReduceLROnPlateau"])
    def test_pytorchs_state_goes_on_here(name):
        import torch
        make = MAKE.get(name, lambda s, o: s.ReduceLROnPlateau(o, patience=1, factor=0.5))
        here = make(lr_scheduler, optimizer(0.7))
        there = make(torch.optim.lr_scheduler, torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.7))

        def steps(schedule, n):
            found = []
            for _ in range(n):
                schedule.optimizer.step()
                schedule.step(*[1.0] if name == "ReduceLROnPlateau" else [])
                found.append(schedule.optimizer.param_groups[0]["lr"])
            return found
        steps(there, 4)
        here.optimizer.load_state_dict(there.optimizer.state_dict())
        here.load_state_dict(there.state_dict())
        np.testing.assert_allclose(steps(here, 6), steps(there, 6), rtol=1e-12)


def test_functions_are_not_saved_but_objects_are():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, t):
            return self.rate ** t
    schedule = LambdaLR(optimizer(groups=2), [Decay(0.5), lambda t: 1.0])
    state = schedule.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}, None]
    other = LambdaLR(optimizer(groups=2), [Decay(0.25), lambda t: 2.0])
    other.load_state_dict(state)
    other.optimizer.step()
    other.step()
    assert other.get_last_lr() == [0.5, 2.0]


def test_a_state_of_another_schedule_is_refused():
    schedule = StepLR(optimizer(), 3)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match=r"StepLR.load_state_dict: missing \['step_size'\], unexpected \[\]"):
        schedule.load_state_dict(ExponentialLR(optimizer(), 0.5).state_dict())
    with pytest.raises(ValueError, match=r"StepLR.load_state_dict: missing \['step_size', 'gamma'\], unexpected \['T_max', 'eta_min'\]"):
        schedule.load_state_dict(CosineAnnealingLR(optimizer(), 5).state_dict())
    with pytest.raises(ValueError, match="StepLR.load_state_dict: the state is of 2 groups, and this optimizer has 1"):
        schedule.load_state_dict(StepLR(optimizer(groups=2), 3).state_dict())
    assert schedule.state_dict() == before
    o = optimizer()
    sequence = SequentialLR(o, [StepLR(o, 1), ExponentialLR(o, 0.5)], [2])
    before = sequence.state_dict()
    for others, message in [((StepLR, ConstantLR), r"ExponentialLR.load_state_dict: missing \['gamma'\]"),
                            ((StepLR, StepLR, StepLR), "SequentialLR.load_state_dict: the state is of 3 schedules, and here are 2")]:
        o = optimizer(0.5)
        other = SequentialLR(o, [kind(o, 0.5) if kind is ConstantLR else kind(o, 1) for kind in others], range(5, 4 + len(others)))
        with pytest.raises(ValueError, match=message):
            sequence.load_state_dict(other.state_dict())
        assert sequence.state_dict() == before


# ---------------------------------------------------------------------- slips

def test_what_is_returned_is_a_copy():
    schedule = ExponentialLR(optimizer(), 0.5)
    schedule.get_last_lr()[0] = 7.0
    assert rates(schedule, 2) == [1.0, 0.5] and schedule.get_last_lr() == [0.25]


def test_stepping_before_the_optimizer_is_warned_of_once():
    schedule = StepLR(optimizer(), 1, 0.5)
    with pytest.warns(UserWarning, match=r"StepLR.step\(\) came before optimizer.step\(\), so the first learning rate was never used"):
        schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.25]


def test_an_optimizer_with_a_step_of_its_own_is_not_warned_of():
    class Own(Optimizer):
        def step(self):
            pass
    schedule = StepLR(Own([tn.zeros(1, requires_grad=True)], {"lr": 1.0}), 1, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rates(schedule, 2) == [1.0, 0.5]


def test_a_learning_rate_changed_by_hand_scales_what_follows():
    schedule = CosineAnnealingLR(optimizer(), 4)
    expected = rates(CosineAnnealingLR(optimizer(), 4), 4)
    assert rates(schedule, 2) == expected[:2]
    schedule.optimizer.param_groups[0]["lr"] *= 10
    np.testing.assert_allclose(rates(schedule, 2), [10 * lr for lr in expected[2:]], rtol=1e-12)
    schedule.optimizer.param_groups[0]["lr"] = 5.0              # from 0 at t = 4: nothing to scale by, so lr(t) as before
    schedule.optimizer.step()
    schedule.step()
    assert schedule.get_last_lr()[0] == pytest.approx(10 * expected[3], rel=1e-12)


def test_a_change_outlives_the_turning_point_of_the_cosine():
    def after(change):
        schedule, found = CosineAnnealingLR(optimizer(), 5, eta_min=0.01), []
        for t in range(15):
            schedule.optimizer.step()
            if t == 7:
                schedule.optimizer.param_groups[0]["lr"] = 0.01 + change * (schedule.get_last_lr()[0] - 0.01)
            schedule.step()
            found.append(schedule.get_last_lr()[0])
        return np.array(found)
    np.testing.assert_allclose(after(0.5)[7:] - 0.01, (after(1.0)[7:] - 0.01) / 2, rtol=1e-9, atol=1e-15)


def test_a_learning_rate_that_makes_no_sense_is_refused():
    schedule = LambdaLR(optimizer(), lambda t: 1.0 if t < 1 else float("nan"))
    schedule.optimizer.step()
    with pytest.raises(ValueError, match=r"LambdaLR: learning rates must be finite and at least 0, .* not \[nan\] at t = 1"):
        schedule.step()
    assert schedule.last_epoch == 0 and schedule.optimizer.param_groups[0]["lr"] == 1.0
    with pytest.raises(TypeError, match="LRScheduler has no get_lr method"):
        LRScheduler(optimizer())


def test_numpys_numbers_become_pythons():
    schedule = LambdaLR(optimizer(), lambda t: np.float64(0.5) ** t)
    assert rates(schedule, 2) == [1.0, 0.5] and type(schedule.optimizer.param_groups[0]["lr"]) is float
    assert rates(StepLR(optimizer(), np.int64(2), np.float64(0.5)), 3) == [1.0, 1.0, 0.5]


def test_a_group_that_comes_later_needs_a_new_schedule():
    o = optimizer()
    schedule, plateau = StepLR(o, 1, 0.5), ReduceLROnPlateau(o, patience=0, factor=0.5)
    strict = ReduceLROnPlateau(o, patience=0, min_lr=[0.1])
    o.add_param_group({"params": [tn.zeros(1, requires_grad=True)], "lr": 8.0})
    o.step()
    with pytest.raises(ValueError, match="StepLR: the optimizer has 2 groups, and had 1 when this schedule was made"):
        schedule.step()
    for _ in range(2):
        plateau.step(1.0)
    assert [group["lr"] for group in o.param_groups] == [0.5, 4.0] == plateau.get_last_lr()
    strict.step(1.0)
    with pytest.raises(ValueError, match="ReduceLROnPlateau: the optimizer has 2 groups now, and min_lr was given for 1"):
        strict.step(1.0)


def test_the_cycle_ends():
    schedule = OneCycleLR(optimizer(momentum=0.9), 1.0, total_steps=5, anneal_strategy="linear")
    found = rates(schedule, 5)
    assert found[-1] == pytest.approx(1 / 25 / 1e4) and max(found) == pytest.approx(found[1], rel=0.2)
    group = schedule.optimizer.param_groups[0]
    assert group["lr"] == found[-1] and group["momentum"] == pytest.approx(0.95)    # the step after the last batch
    schedule.optimizer.step()
    with pytest.raises(ValueError, match="OneCycleLR: the cycle has 5 steps, and this would be one more"):
        schedule.step()
    assert (group["lr"], schedule.last_epoch) == (found[-1], 5)


def test_a_phase_may_have_no_length():
    assert rates(OneCycleLR(optimizer(momentum=0.9), 1.0, 4, pct_start=0.25), 4)[0] == 1.0


def test_adams_other_beta_stays():
    adam = Adam([tn.zeros(1, requires_grad=True)], betas=(0.5, 0.75))
    schedule = OneCycleLR(adam, 1.0, total_steps=4, pct_start=0.5)
    assert adam.param_groups[0]["betas"] == (0.95, 0.75)
    adam.step()
    schedule.step()
    assert adam.param_groups[0]["betas"] == (pytest.approx(0.85), 0.75)


def test_a_schedule_within_a_sequence_begins_anew():
    o = optimizer()
    inner = SequentialLR(o, [ConstantLR(o, 0.5, 9), ExponentialLR(o, 0.5)], [2])
    schedule = SequentialLR(o, [LinearLR(o, 0.5, total_iters=2), inner], [3])
    assert rates(schedule, 8) == [0.5, 0.75, 1.0, 0.5, 0.5, 1.0, 0.5, 0.25]
    later = SequentialLR(o, [LinearLR(o, 0.5, total_iters=2), ExponentialLR(o, 0.5)], [3], last_epoch=4)
    assert later.last_epoch == 5 and later.get_last_lr() == [0.25]
    schedule.step(4)
    assert schedule.get_last_lr() == [0.5] and rates(schedule, 3) == [0.5, 1.0, 0.5]


class NoMomentum(Optimizer):
    def __init__(self):
        super().__init__([tn.zeros(1, requires_grad=True)], {"lr": 0.1})


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda o: StepLR([o], 3), TypeError, r"StepLR: expects an optimizer, such as optim.SGD\(model.parameters\(\)\), not a list"),
    (lambda o: LambdaLR(None, abs), TypeError, "LambdaLR: expects an optimizer"),
    (lambda o: OneCycleLR(None, 1.0, 5), TypeError, "OneCycleLR: expects an optimizer"),
    (lambda o: ReduceLROnPlateau(None), TypeError, "ReduceLROnPlateau: expects an optimizer"),
    (lambda o: SequentialLR(None, [], []), TypeError, "SequentialLR: expects an optimizer"),
    (lambda o: StepLR(o, 3, last_epoch=5), KeyError, "StepLR: to go on from last_epoch=5, group 0 of the optimizer must have an 'initial_lr'"),
    (lambda o: StepLR(o, 0), ValueError, "StepLR: step_size must be a whole number of at least 1, not 0"),
    (lambda o: StepLR(o, 2.5), ValueError, "StepLR: step_size must be a whole number"),
    (lambda o: StepLR(o, 2, -0.1), ValueError, "StepLR: gamma must be a finite number of at least 0, not -0.1"),
    (lambda o: MultiStepLR(o, [3, -1]), ValueError, "MultiStepLR: a milestone must be a whole number of at least 0, not -1"),
    (lambda o: MultiStepLR(o, [3.5]), ValueError, "MultiStepLR: a milestone must be"),
    (lambda o: ExponentialLR(o, float("nan")), ValueError, "ExponentialLR: gamma must be a finite number"),
    (lambda o: ConstantLR(o, 1.5), ValueError, "ConstantLR: factor must be a finite number from 0 to 1, not 1.5"),
    (lambda o: ConstantLR(o, total_iters=0), ValueError, "ConstantLR: total_iters must be a whole number of at least 1"),
    (lambda o: LinearLR(o, 0), ValueError, "LinearLR: start_factor must be above 0"),
    (lambda o: LinearLR(o, end_factor=-1), ValueError, "LinearLR: end_factor must be a finite number from 0 to 1"),
    (lambda o: CosineAnnealingLR(o, 0), ValueError, "CosineAnnealingLR: T_max must be a whole number of at least 1"),
    (lambda o: CosineAnnealingLR(o, 5, -1), ValueError, "CosineAnnealingLR: eta_min must be"),
    (lambda o: CosineAnnealingWarmRestarts(o, 0), ValueError, "CosineAnnealingWarmRestarts: T_0 must be"),
    (lambda o: CosineAnnealingWarmRestarts(o, 5, 0), ValueError, "CosineAnnealingWarmRestarts: T_mult must be"),
    (lambda o: (o.step(), CosineAnnealingWarmRestarts(o, 5).step(-1)), ValueError, "CosineAnnealingWarmRestarts: epoch must be .* at least 0, not -1"),
    (lambda o: LambdaLR(o, [abs, abs]), ValueError, "LambdaLR: functions: 2 were given, and the optimizer has 1 groups"),
    (lambda o: LambdaLR(o, 0.5), TypeError, "LambdaLR: lr_lambda must be a function of t, or a list of them, not 0.5"),
    (lambda o: OneCycleLR(o, 1.0), ValueError, "OneCycleLR: give total_steps, or epochs and steps_per_epoch"),
    (lambda o: OneCycleLR(o, 1.0, epochs=3), ValueError, "OneCycleLR: give total_steps, or epochs and steps_per_epoch"),
    (lambda o: OneCycleLR(o, 1.0, epochs=3, steps_per_epoch=0), ValueError, "OneCycleLR: steps_per_epoch must be"),
    (lambda o: OneCycleLR(o, 1.0, -5), ValueError, "OneCycleLR: total_steps must be"),
    (lambda o: OneCycleLR(o, 1.0, 5, pct_start=1.5), ValueError, "OneCycleLR: pct_start must be a finite number from 0 to 1"),
    (lambda o: OneCycleLR(o, 1.0, 50, pct_start=0.7, three_phase=True), ValueError, "OneCycleLR: three phases need a pct_start"),
    (lambda o: OneCycleLR(o, 1.0, 5, anneal_strategy="cubic"), ValueError, "OneCycleLR: anneal_strategy must be 'cos' or 'linear', not 'cubic'"),
    (lambda o: OneCycleLR(o, 1.0, 5, div_factor=0), ValueError, "OneCycleLR: div_factor must be above 0"),
    (lambda o: OneCycleLR(o, [1.0, 2.0], 5), ValueError, "OneCycleLR: max_lr: 2 were given"),
    (lambda o: OneCycleLR(o, 1.0, 5, max_momentum=1.5), ValueError, "OneCycleLR: max_momentum must be a finite number from 0 to 1"),
    (lambda o: OneCycleLR(NoMomentum(), 1.0, 5), ValueError, "OneCycleLR: NoMomentum has no momentum to change; give cycle_momentum=False"),
    (lambda o: (StepLR(o, 1), OneCycleLR(o, 1.0, 5, last_epoch=2)), KeyError, "OneCycleLR: to go on from last_epoch=2, group 0 .* must have initial_lr, max_lr"),
    (lambda o: ReduceLROnPlateau(o, "less"), ValueError, "ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode .*'less' and 'rel'"),
    (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "ReduceLROnPlateau: mode must be"),
    (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "ReduceLROnPlateau: factor must be below 1, not 1.0"),
    (lambda o: ReduceLROnPlateau(o, patience=-1), ValueError, "ReduceLROnPlateau: patience must be a whole number"),
    (lambda o: ReduceLROnPlateau(o, min_lr=[0.1, 0.2]), ValueError, "ReduceLROnPlateau: min_lr: 2 were given"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)], [5]), ValueError, "SequentialLR: 1 schedules need one milestone less than that, not 1"),
    (lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1), StepLR(o, 1)], [5, 5]), ValueError, r"SequentialLR: milestones must increase, unlike \[5, 5\]"),
    (lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1)], [-1]), ValueError, "SequentialLR: a milestone must be"),
    (lambda o: SequentialLR(o, [StepLR(o, 1), ReduceLROnPlateau(o)], [3]), TypeError, "SequentialLR: a ReduceLROnPlateau is not a function of"),
    (lambda o: SequentialLR(o, [StepLR(optimizer(), 1)], []), ValueError, "SequentialLR: the StepLR belongs to another optimizer"),
])
def test_arguments_that_make_no_sense_are_refused(make, kind, message):
    o = optimizer()
    with pytest.raises(kind, match=message):
        make(o)
