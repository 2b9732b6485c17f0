"""What fields declare is what they take: every option of every method, and of what is made of them."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pytest

from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import Budget, random_stream
from spectra_core.datasets.simulator import SimulationSettings
from spectra_core.datasets.simulator.designs import DESIGNS
from spectra_core.datasets.simulator.instrument import Instrument
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment
from spectra_core.generators import GENERATORS
from spectra_core.options import Option, Range, WithOptions, options_of
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.training.plan import Plan
from spectra_core.training.vae_shape import VaeLoss, VaeShape

REGISTRIES = (GENERATORS, REGRESSORS, SAMPLERS, CONDITIONAL_SAMPLERS, CONDITIONS, PREPROCESSINGS, LABELLINGS)
NEEDED = {
    Arm: {"name": "An arm", "kind": "baseline"},
    Experiment: {"arms": (Arm("An arm", "baseline"),)},
    Plan: {"budget": Budget(epochs=1)},
    Budget: {"epochs": 1},
    VaeShape: {"n_channels": 5},
    VaeLoss: {},
    SimulationSettings: {},
    Instrument: {},
}
KINDS = [*NEEDED, *(member for registry in (*REGISTRIES, DESIGNS) for member in registry.values())]
OPTIONS = [
    pytest.param(kind, option, id=f"{kind.__name__}-{option.name}")
    for kind in KINDS
    for option in options_of(kind).values()
]
NUMBERS = [one for one in OPTIONS if one.values[1].kind in (int, float)]


def made(kind: type, /, **options):
    return kind(**{**NEEDED.get(kind, {}), **options})


@pytest.mark.parametrize(("kind", "option"), OPTIONS)
def test_everything_a_person_can_set_declares_what_it_takes(kind: type, option: Option):
    if option.kind in (int, float):
        assert option.range is not None
        assert math.isfinite(option.range.least)
        assert math.isfinite(option.range.most)
    if option.kind is tuple and option.entry.kind is int:
        assert option.entry.range is not None


@pytest.mark.parametrize(("kind", "option"), NUMBERS)
def test_numbers_out_of_range_and_what_is_no_number_are_refused_by_name_range_and_value(kind: type, option: Option):
    least, most = option.range.least, option.range.most
    beyond = (
        [least - 1, most + 1, 10.0**9, 2.5]
        if option.kind is int
        else [math.nextafter(least, -math.inf), math.nextafter(most, math.inf)]
    )
    for value in (*beyond, math.nan, math.inf, -math.inf, 2**70, True, "5", [5], 5j, np.float64("nan"), np.bool_(True)):
        with pytest.raises(ConfigError) as refused:
            made(kind, **{option.name: value})
        sentence = str(refused.value)
        assert option.name in sentence
        assert str(option.range) in sentence
        assert repr(value.item() if isinstance(value, np.generic) else value) in sentence


@pytest.mark.parametrize(("kind", "option"), NUMBERS)
def test_both_ends_are_taken_and_numpy_s_numbers_become_python_s(kind: type, option: Option):
    scalar = np.int64 if option.kind is int else np.float64
    for end in (option.range.least, option.range.most):
        taken = option.checked(scalar(end), "Test")
        assert taken == end
        assert type(taken) is option.kind


@pytest.mark.parametrize(("kind", "option"), [one for one in OPTIONS if one.values[1].kind in (bool, str)])
def test_other_options_refuse_what_they_do_not_offer(kind: type, option: Option):
    wrong = [*([] if option.optional else [None]), *(["elsewhere"] if option.values or option.kind is bool else []), 1]
    for value in wrong:
        with pytest.raises(ConfigError, match=option.name) as refused:
            made(kind, **{option.name: value})
        assert all(name in str(refused.value) for name in option.values)


@pytest.mark.parametrize("seed", [-1, 2**70, 1.5, math.nan, True])
def test_a_stream_of_random_numbers_refuses_what_is_no_seed(seed):
    with pytest.raises(ConfigError, match="seed must be a whole number from 0"):
        random_stream(seed)


def test_a_whole_number_stays_whole_where_any_number_is_taken():
    # What a person wrote decides the fingerprint: 2 must not become 2.0.
    assert type(PREPROCESSINGS["clip"](level=2).level) is int


def test_steps_are_counted_from_the_least():
    assert [number for number in range(10) if number in Range(3, 7, step=2)] == [3, 5, 7]


def test_every_entry_of_a_list_is_checked_and_the_list_may_not_be_empty():
    assert REGRESSORS["mlp"](hidden=[32, np.int64(8)]).hidden == (32, 8)
    for hidden, sentence in (
        ((), "a list of 1 to 64 entries"),
        ((8, 0), "from 1 to 8192, got 0"),
        (8, "a list of 1 to 64 entries, each a whole number from 1 to 8192, got 8"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            REGRESSORS["mlp"](hidden=hidden)


def test_what_a_member_declares_of_its_own_is_named_by_its_label():
    @dataclass
    class Smooth(WithOptions):
        title: ClassVar[str] = "Smoothing"
        n_rows: Annotated[int | None, Range(1, 9), "Spectra averaged"] = 5

    assert Smooth(None).n_rows is None
    with pytest.raises(ConfigError, match=r"^Smoothing: Spectra averaged \(n_rows\) must be .* or none, got 10\.$"):
        Smooth(10)
