"""Repeated measurements never leak into other folds silently, however people number them."""

import warnings

import numpy as np
import pytest

from spectra_core.datasets import DataWarning, Recipe, read, understand
from spectra_core.datasets.replicates import stems
from spectra_core.splits import k_fold
from tests.datasets.tables import CHANNELS, lines_of

M, K = 8, 3
SIGNAL = np.random.default_rng(4).random((M * K, len(CHANNELS))).round(4)
TARGET = np.repeat(np.random.default_rng(5).random(M).round(3), K)
SAMPLES = np.repeat(np.arange(M), K)
STYLES = {
    "A1_1": lambda i, j: f"A{i}_{j + 1}",
    "A1-r2": lambda i, j: f"A{i}-r{j + 1}",
    "A1 (3)": lambda i, j: f"A{i} ({j + 1})",
    "A1a": lambda i, j: f"A{i}{'abc'[j]}",
    "A1.2": lambda i, j: f"A{i}.{j + 1}",
    "rep2_A1": lambda i, j: f"rep{j + 1}_A{i}",
    "scan of": lambda i, j: f"scan {j + 1} of A{i}",
    "file": lambda i, j: f"A{i}_{j + 1}.csv",
    "1.1": lambda i, j: f"{i + 1}.{j + 1}",
    "2_A1": lambda i, j: f"{j + 1}_A{i}",
    "A_1_1": lambda i, j: f"A_{i}_{j + 1}",
    "A1#2": lambda i, j: f"A{i}#{j + 1}",
    "A1 rep 2": lambda i, j: f"A{i} rep {j + 1}",
    "A1R2": lambda i, j: f"A{i}R{j + 1}",
    "A1-b": lambda i, j: f"A{i}-{'abc'[j]}",
    "A1/2": lambda i, j: f"A{i}/{j + 1}",
    "A1_scan02": lambda i, j: f"A{i}_scan0{j + 1}",
    "middle": lambda i, j: f"A{i}_rep{j + 1}_20C",
}


def table(ids, target=TARGET, columns=None) -> bytes:
    beside = columns or {}
    head = ["sample", *beside, *([] if target is None else ["Cu"]), *CHANNELS]
    rows = [
        [one, *(values[at] for values in beside.values()), *([] if target is None else [target[at]]), *SIGNAL[at]]
        for at, one in enumerate(ids)
    ]
    return lines_of([head, *rows]).encode()


def named(style) -> list[str]:
    return [style(i, j) for i in range(M) for j in range(K)]


def understood(*args, recipe=None, **more):
    return understand({"file.csv": table(*args, **more)}, recipe)


@pytest.mark.parametrize("style", STYLES)
class TestEveryStyle:
    def test_equal_targets_and_ids_keep_repeats_together(self, style):
        found = understood(named(STYLES[style]))
        groups = found.build().groups
        assert np.array_equal(groups, SAMPLES)
        assert any(problem.kind == "replicates" and not problem.blocking for problem in found.problems)
        for split in k_fold(groups, 4, seed=0):
            assert not set(SAMPLES[split.train]) & set(SAMPLES[split.test])

    def test_without_targets_it_is_asked(self, style):
        found = understood(named(STYLES[style]), None)
        (question,) = found.open_questions
        assert question.kind == "replicates"
        together = found.with_recipe(Recipe(groups="id without replicate")).build()
        assert np.array_equal(together.groups, SAMPLES)
        assert len(set(found.with_recipe(Recipe(groups="none")).build().groups)) == M * K

    def test_ids_of_different_samples_are_left_alone(self, style):
        found = understood(named(STYLES[style]), np.arange(M * K))
        assert found.open_questions == []
        assert len(set(found.build().groups)) == M * K


def test_ids_that_repeat_and_marked_ones_beside_them_are_one_sample():
    ids = [f"A{i}" + (" dup" if j else "") for i in range(M) for j in range(K)]
    assert np.array_equal(understood(ids).build().groups, SAMPLES)
    assert np.array_equal(understood([f"A{i}" for i in SAMPLES]).build().groups, SAMPLES)


@pytest.mark.parametrize("scan", ["scan", "rep", "Replicate", "scan no.", "run"])
def test_a_column_that_numbers_scans_is_no_group(scan):
    found = understood([f"A{i}" for i in SAMPLES], columns={scan: list(range(1, K + 1)) * M})
    assert np.array_equal(found.build().groups, SAMPLES)


def test_a_second_column_of_names_and_a_column_that_agrees_with_the_targets_group():
    numbers = list(range(1, M * K + 1))
    names = [f"A{i}" for i in SAMPLES]
    assert np.array_equal(understood(numbers, columns={"id": names}).build().groups, SAMPLES)
    assert np.array_equal(understood(numbers, columns={"tube": names}).build().groups, SAMPLES)


def test_equal_targets_alone_warn_on_the_page_and_in_read(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(table(list(range(1, M * K + 1))))
    with pytest.warns(DataWarning, match='24 of 24 spectra share all their targets.*{"groups": "equal targets"}'):
        read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read(path, Recipe(groups="equal targets")).groups, SAMPLES)
        assert len(set(read(path, Recipe(groups="none")).groups)) == M * K


def test_a_few_levels_of_one_target_warn_of_nothing():
    found = understood(list(range(1, M * K + 1)), np.arange(M * K) % 2)
    assert not {"equal targets", "replicates"} & {problem.kind for problem in found.problems}


@pytest.mark.parametrize("blank", ["", "NA", "-", "n/a", "nan"])
def test_spectra_with_a_blank_group_are_independent(blank):
    groups = ["A", "A", "B", "B"] + [blank] * (M * K - 4)
    found = understood(list(range(1, M * K + 1)), np.arange(M * K), columns={"batch": groups})
    built = found.build().groups
    assert len(set(built)) == 2 + M * K - 4
    assert built[0] == built[1] != built[2] == built[3]
    assert any(f"No batch is given for {M * K - 4} of {M * K} spectra" in problem.text for problem in found.problems)


def test_groups_that_begin_far_below_are_groups():
    n_spectra = 60
    rows = [["sample", "batch", "c (mM)", *CHANNELS]]
    for i, row in enumerate(np.random.default_rng(6).random((n_spectra, len(CHANNELS))).round(4)):
        rows.append([f"s{i}", "A" if i >= n_spectra - 2 else "", i, *row])
    built = understand({"a.csv": lines_of(rows).encode()}).build().groups
    assert built[-1] == built[-2]
    assert len(set(built)) == n_spectra - 1


def test_a_group_named_as_a_lone_spectrum_would_be_stays_its_own():
    groups = ["spectrum 3", "spectrum 3", "", *["B"] * (M * K - 3)]
    built = understood(list(range(1, M * K + 1)), np.arange(M * K), columns={"batch": groups}).build().groups
    assert len(set(built)) == 3


def test_repeats_across_batches_are_linked():
    batch = [f"day {j}" for _ in range(M) for j in range(K)]
    assert len(set(understood(named(STYLES["A1_1"]), columns={"batch": batch}).build().groups)) == 1


def test_numbers_and_single_stems_are_no_repeats():
    assert stems(["1", "2", "3"]) is None
    assert stems([f"mix_{k}" for k in range(40)], list(range(40))) is None
    assert stems(["a1", "a2", "b1", "b2"]) is None  # may be places on a plate
