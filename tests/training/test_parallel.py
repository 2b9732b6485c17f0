import os
import threading
import time

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from spectra_core.contracts import SILENT, Budget, Cancelled
from spectra_core.errors import ConfigError
from spectra_core.training.mlps import train_mlps
from spectra_core.training.numerical_threads import n_processors
from spectra_core.training.parallel import one_blas_thread, one_numerical_thread, run_in_threads


class Listener:
    """Keeps what it is told; asks to stop at call number `stop_at`."""

    def __init__(self, stop_at=None):
        self.calls, self.stop_at = [], stop_at

    def progress(self, stage, done, total, values=None):
        self.calls.append((stage, done, total, values))
        if len(self.calls) == self.stop_at:  # once: the other jobs must hear of it
            raise Cancelled

    def message(self, text):
        pass


def counting_job(n_epochs, values=None):
    def job(reporter):
        for epoch in range(1, n_epochs + 1):
            reporter.progress("Counting", epoch, n_epochs, values)
        return n_epochs

    return job


def test_results_come_in_the_order_of_jobs_whichever_ends_first():
    def slow(reporter):
        time.sleep(0.05)
        return "slow"

    assert run_in_threads([slow, lambda reporter: "quick"], 2) == ["slow", "quick"]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_progress_of_all_jobs_adds_up_and_never_falls(n_workers):
    listener = Listener()
    run_in_threads([counting_job(5, {"loss": 1.0})] * 3, n_workers, listener)
    assert [done for _, done, _, _ in listener.calls] == list(range(1, 16))
    assert {(total, values) for _, _, total, values in listener.calls} == {(15, None)}


def test_figures_of_a_single_job_are_passed_on():
    listener = Listener()
    run_in_threads([counting_job(1, {"loss": 2.0})], 1, listener)
    assert listener.calls == [("Counting", 1, 1, {"loss": 2.0})]


def test_cancel_stops_every_job():
    finished = []

    def endless(reporter):
        for epoch in range(10_000):
            reporter.progress("Waiting", epoch, 10_000)
            time.sleep(0.001)
        finished.append(True)

    listener = Listener(stop_at=5)
    with pytest.raises(Cancelled):
        run_in_threads([endless] * 3, 2, listener)
    assert finished == []
    assert len(listener.calls) < 10


def test_the_error_of_a_job_is_raised_rather_than_the_cancel_it_causes():
    begun = threading.Event()

    def waiting(reporter):
        begun.set()
        for epoch in range(10_000):
            reporter.progress("Waiting", epoch, 10_000)
            time.sleep(0.001)

    def failing(reporter):
        begun.wait()
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        run_in_threads([waiting, failing], 2)


def test_no_workers_are_refused():
    with pytest.raises(ConfigError, match="at least 1 worker, got 0"):
        run_in_threads([counting_job(1)], 0)
    assert run_in_threads([], 1) == []


def test_torch_has_one_thread_inside_and_its_own_number_again_outside():
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert run_in_threads([lambda reporter: torch.get_num_threads()] * 2, 2) == [1, 1]
        with one_numerical_thread(), one_numerical_thread():
            assert torch.get_num_threads() == 1
            assert float(torch.tensor(1e-40) * 0.5) == 0.0
        assert torch.get_num_threads() == 2
        assert float(torch.tensor(1e-40) * 0.5) > 0.0
    finally:
        torch.set_num_threads(usual)


def test_two_workers_train_the_same_bits_as_one():
    rng = np.random.default_rng(0)
    folds = [(rng.standard_normal((50, 40)), rng.standard_normal((50, 2))) for _ in range(3)]

    def job(inputs, targets):
        return lambda reporter: train_mlps(inputs, targets, budget=Budget(epochs=5), seed=1, reporter=reporter)

    alone = [job(*fold)(SILENT) for fold in folds]
    for n_workers in (1, 2):
        for one, other in zip(alone, run_in_threads([job(*fold) for fold in folds], n_workers), strict=True):
            assert_array_equal(one.predict(folds[0][0]), other.predict(folds[0][0]))


@pytest.mark.parametrize("kernels", ["torch", "numba"])
def test_trainings_side_by_side_give_the_bits_of_one_after_the_other(kernels):
    rng = np.random.default_rng(0)
    # As many hidden units as make torch's matrix library use several threads, were it allowed to.
    inputs, targets = rng.standard_normal((70, 300)), rng.standard_normal((70, 2))

    def training(seed):
        budget = Budget(steps=6)
        return lambda _: train_mlps(inputs, targets, hidden=(256, 64), budget=budget, seed=seed, kernels=kernels)

    jobs = [training(seed) for seed in range(4)]
    alone, together = run_in_threads(jobs, 1), run_in_threads(jobs, 3)
    for one, other in zip(alone, together, strict=True):
        assert_array_equal(one.predict(inputs), other.predict(inputs))


def test_products_of_numpy_use_one_thread_inside_and_theirs_afterwards():
    from threadpoolctl import threadpool_info

    def threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    with one_blas_thread(), one_blas_thread():
        assert set(threads()) == {1}
    assert threads()[: len(before)] == before


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin processes to processors")
def test_only_processors_that_this_process_may_use_are_counted():
    allowed = os.sched_getaffinity(0)
    assert n_processors() <= len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert n_processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)
