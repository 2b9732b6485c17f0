from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.evaluation.errors.gatekeeping import gatekeeping, graph_adjusted


def weights_of(subset, shares, arrows):
    """Return the shares of an intersection hypothesis: all others handed theirs on, one after the other, by hand."""
    w = dict(enumerate(shares))
    g = {(i, j): arrows[i][j] for i in w for j in w}
    left = list(w)
    for gone in [i for i in w if i not in subset]:
        left.remove(gone)
        for j in left:
            w[j] += w[gone] * g[gone, j]
        new = {}
        for j in left:
            for k in left:
                below = 1 - g[j, gone] * g[gone, j]
                new[j, k] = 0.0 if j == k or below <= 0 else (g[j, k] + g[j, gone] * g[gone, k]) / below
        g.update(new)
    return {i: w[i] for i in subset}


def closed_test(p, shares, arrows):
    """Return adjusted p by enumeration: a hypothesis falls when all intersections that it belongs to do."""
    adjusted = np.zeros(len(p))
    for size in range(1, len(p) + 1):
        for subset in combinations(range(len(p)), size):
            w = weights_of(subset, shares, arrows)
            value = min((p[i] / w[i] for i in subset if w[i] > 0), default=np.inf)
            for i in subset:
                adjusted[i] = max(adjusted[i], value)
    return np.minimum(adjusted, 1.0)


def test_the_graph_is_the_closed_test_of_all_intersections():
    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 5):
        for _ in range(20):
            shares = rng.dirichlet(np.ones(n)) * rng.choice([1.0, 0.8])
            arrows = rng.random((n, n)) * (rng.random((n, n)) > 0.3)
            np.fill_diagonal(arrows, 0.0)
            arrows /= np.maximum(arrows.sum(axis=1, keepdims=True), 1e-9) * rng.choice([1.0, 1.25])
            p = rng.random(n) ** 4
            found = np.ravel(graph_adjusted([[one] for one in p], shares, arrows))
            assert_allclose(found, closed_test(p, shares, arrows), rtol=1e-9)


def test_equal_shares_and_arrows_are_holm():
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.011, 0.02, 0.3, 0.004])
    arrows = (np.ones((4, 4)) - np.eye(4)) / 3
    apart = graph_adjusted([[one] for one in p], np.full(4, 0.25), arrows)
    assert_allclose(np.ravel(apart), multipletests(p, method="holm")[1])
    assert_allclose(graph_adjusted([p], np.array([0.25]), np.array([[1 / 3]])), [np.ravel(apart)])


def test_arms_with_means_and_targets_are_the_closed_test_of_their_graph():
    # 0: mean of the first arm, 1 and 2 its targets; 3: mean of the second, 4 to 6 its targets.
    shares = np.array([1 / 4, 1 / 8, 1 / 8, 1 / 4, 1 / 12, 1 / 12, 1 / 12])
    crumb, arrows = 1e-6, np.zeros((7, 7))
    for mean, own, other in ((0, [1, 2], 3), (3, [4, 5, 6], 0)):
        arrows[mean, own] = 1 / len(own)
        for one in own:
            arrows[one, [x for x in own if x != one]] = (1 - crumb) / (len(own) - 1)
            arrows[one, other] = crumb
    rng = np.random.default_rng(0)
    for _ in range(20):
        p = rng.random(7) ** 4
        means, targets = gatekeeping([p[0], p[3]], [list(p[1:3]), list(p[4:])])
        found = [means[0], *targets[0], means[1], *targets[1]]
        assert_allclose(found, closed_test(p, shares, arrows), rtol=1e-9)


def test_arms_with_one_target_are_holm_over_arms():
    from statsmodels.stats.multitest import multipletests

    p = [0.02, 0.01, 0.9]
    means, targets = gatekeeping(p, [[one] for one in p])
    assert_allclose(means, multipletests(p, method="holm")[1])
    assert targets == [[one] for one in means]


def test_a_mean_that_is_told_opens_the_gate_to_its_targets():
    # Alone a target of .02 among four is worth 1/8 of the level; behind the gate it gets another 1/8.
    told, open_gate = gatekeeping([0.001], [[0.012, 0.5, 0.5, 0.5]])
    untold, shut = gatekeeping([0.9], [[0.012, 0.5, 0.5, 0.5]])
    assert told == [pytest.approx(0.002)]
    assert untold == [1.0]
    assert open_gate[0][0] == pytest.approx(0.012 * 4)
    assert shut[0][0] == pytest.approx(0.012 * 8)


def test_what_an_arm_no_longer_needs_goes_to_the_others():
    means, targets = gatekeeping([1e-6, 0.04], [[1e-6, 1e-6], [0.5, 0.6]])
    assert max(targets[0]) < 0.05
    assert means[1] == pytest.approx(0.04 / 0.75, rel=1e-4)  # its own quarter and all of the first arm's half
    alone, _ = gatekeeping([0.9, 0.04], [[0.9, 0.9], [0.5, 0.6]])
    assert alone[1] == pytest.approx(0.04 / 0.25)


@pytest.mark.parametrize("n_arms", [1, 3])
def test_where_nothing_is_true_one_family_in_twenty_errs_at_most(n_arms):
    rng = np.random.default_rng(n_arms)
    wrong, families = 0, 1000
    for _ in range(families):
        p = rng.random((n_arms, 4))
        means, targets = gatekeeping(list(rng.random(n_arms)), p.tolist())
        wrong += min([*means, *np.ravel(targets)]) < 0.05
    assert wrong <= families * 0.05 + 3 * np.sqrt(families * 0.05 * 0.95)
