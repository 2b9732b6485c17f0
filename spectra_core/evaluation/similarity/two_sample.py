"""Whether generated and experimental spectra could be draws of one distribution: distances and a classifier.

Every function takes a `CloudPair` and returns one number that is zero, on average or in the limit of many
spectra, where the distributions are equal.
"""

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import derived_seed, random_stream
from spectra_core.evaluation.similarity.point_clouds import CloudPair

N_DIRECTIONS = 200
"""Random directions of the sliced distance: its standard error over directions is then a few per cent."""
MOST_COMPONENTS = 50
"""Principal components that the Fréchet distance and the classifier look at."""
N_TREES = 60
N_FOLDS = 2


def mmd(pair: CloudPair) -> float:
    """Squared maximum mean discrepancy, unbiased, Gaussian kernel with the median real distance as its width.

    Gretton et al. (J Mach Learn Res 2012), equation 3 with exp(-d^2 / (2 width^2)); around 0, also below, for
    equal distributions. The width is set by the real spectra alone, so that values of different generators compare.
    """
    width = kernel_width(pair.real.within)
    if width == 0:
        return float("nan")

    def mean_kernel(distances: NDArray[np.float64], *, own: bool) -> float:
        kernel = np.exp(-0.5 * (distances / width) ** 2)
        n = len(kernel)
        return float((kernel.sum() - n) / (n * (n - 1))) if own else float(kernel.mean())

    return (
        mean_kernel(pair.real.within, own=True)
        + mean_kernel(pair.generated.within, own=True)
        - 2.0 * mean_kernel(pair.between, own=False)
    )


def kernel_width(within: NDArray[np.float64]) -> float:
    """Median distance between different spectra of a set, in the signal's unit."""
    return float(np.median(within[np.triu_indices(len(within), 1)]))


def vendi_score(pair: CloudPair) -> float:
    """Effective number of different generated spectra (Friedman & Dieng, TMLR 2023).

    exp of the entropy of the eigenvalues of K / n, with the Gaussian kernel exp(-d^2 / (2 width^2)), where the
    width is half the median distance of the real spectra: from 1 (all the same) to n (none alike). It looks
    at generated spectra alone, so only the score of as many real ones says what to expect.
    """
    width = 0.5 * kernel_width(pair.real.within)
    if width == 0:
        return float("nan")
    kernel = np.exp(-0.5 * (pair.generated.within / width) ** 2)
    eigenvalues = np.linalg.eigvalsh(kernel / len(kernel))
    positive = eigenvalues[eigenvalues > 1e-15]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def energy_distance(pair: CloudPair) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| without bias (Székely & Rizzo, J Stat Plan Inference 2013), signal unit."""

    def mean_apart(within: NDArray[np.float64]) -> float:
        n = len(within)
        return float(within.sum() / (n * (n - 1)))

    return 2.0 * float(pair.between.mean()) - mean_apart(pair.real.within) - mean_apart(pair.generated.within)


def sliced_wasserstein(pair: CloudPair) -> float:
    """Mean Wasserstein-1 distance of projections onto random unit directions, in the signal's unit.

    Rabin et al. (2011), Bonneel et al. (J Math Imaging Vis 2015), with 200 directions and power 1. In many
    channels projections shrink by about 1/sqrt(n_channels); the floor shrinks alike.
    """
    rng = random_stream(pair.seed, "sliced Wasserstein")
    directions = rng.standard_normal((pair.real.points.shape[1], N_DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    real = np.sort(pair.real.points @ directions, axis=0)
    generated = np.sort(pair.generated.points @ directions, axis=0)
    if len(real) == len(generated):
        return float(np.abs(real - generated).mean())
    from scipy.stats import wasserstein_distance

    return float(np.mean([wasserstein_distance(a, b) for a, b in zip(real.T, generated.T, strict=True)]))


def frechet_distance(pair: CloudPair) -> float:
    """Fréchet distance between normal distributions fitted in the PCA space of the real spectra, signal unit.

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson & Landau, J Multivar Anal 1982; as in the Fréchet
    inception distance of Heusel et al., NeurIPS 2017, with principal components for the network's features).
    """
    loadings = principal_directions(pair.real.points, MOST_COMPONENTS)
    real, generated = pair.real.points @ loadings, pair.generated.points @ loadings
    shift = float(((real.mean(axis=0) - generated.mean(axis=0)) ** 2).sum())
    one, other = np.atleast_2d(np.cov(real.T)), np.atleast_2d(np.cov(generated.T))
    # tr (S1 S2)^(1/2) from the symmetric S1^(1/2) S2 S1^(1/2), which has the same eigenvalues and real roots.
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0.0)).sum()
    squared = shift + float(np.trace(one) + np.trace(other)) - 2.0 * float(roots)
    return float(np.sqrt(max(squared, 0.0)))


def principal_directions(points: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the loadings (n_channels, at most `most`) of the largest principal components."""
    centred = points - points.mean(axis=0)
    kept = min(most, len(points) - 1, points.shape[1])
    if len(points) >= points.shape[1]:
        return np.ascontiguousarray(np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :kept])
    basis, coordinates = np.linalg.qr(centred.T)
    turn = np.linalg.eigh(coordinates @ coordinates.T)[1][:, ::-1][:, :kept]
    return np.asarray(basis @ turn)


def classifier_auc(pair: CloudPair) -> float:
    """|AUC - 0.5| of a classifier that tries to tell generated from real spectra it did not learn from.

    A two-sample classifier test (Lopez-Paz & Oquab, ICLR 2017): 60 extremely randomised trees (Geurts et al.,
    Mach Learn 2006) on whitened principal components of both sets together, which give faint noise the same say
    as strong bands; predictions of two folds. 0 where it can only guess, 0.5 where it always knows. An AUC well
    below 0.5 tells of pairs, such as copies, that the folds divide.
    """
    from sklearn.metrics import roc_auc_score

    points = np.concatenate([pair.real.points, pair.generated.points])
    scores = points @ principal_directions(points, MOST_COMPONENTS)
    scores -= scores.mean(axis=0)
    spread = scores.std(axis=0)
    scores = scores[:, spread > 1e-12 * spread.max()] / spread[spread > 1e-12 * spread.max()]
    origin = np.repeat([0, 1], [len(pair.real), len(pair.generated)])
    fold = random_stream(pair.seed, "classifier folds").permutation(len(points)) % N_FOLDS
    guess = np.empty(len(points))
    for number in range(N_FOLDS):
        seed = derived_seed(pair.seed, "classifier", number) % 2**32
        guess[fold == number] = _trees_say(scores[fold != number], origin[fold != number], scores[fold == number], seed)
    # Each fold has its own trees, so ranks are compared within a fold.
    areas = [roc_auc_score(origin[fold == number], guess[fold == number]) for number in range(N_FOLDS)]
    return float(abs(np.mean(areas) - 0.5))


def _trees_say(
    scores: NDArray[np.float64], origin: NDArray[np.int64], asked: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Return the share (n_asked,) of extremely randomised trees' votes for origin 1.

    The trees of scikit-learn's `ExtraTreesClassifier`, grown one after the other: the forest itself changes the
    process's warning filters while it grows, which two halvings judged at the same time must not do.
    """
    from sklearn import config_context
    from sklearn.tree import ExtraTreeClassifier

    stream = np.random.RandomState(seed)  # what scikit-learn draws its trees' seeds from
    learned, seen = (np.ascontiguousarray(part, dtype=np.float32) for part in (scores, asked))
    votes, own = np.zeros(len(asked)), np.random.RandomState(seed)
    tree = ExtraTreeClassifier(min_samples_leaf=3, max_features="sqrt", random_state=own)
    # Checked once by whoever made them: looking at every table and option anew took as long as the trees.
    with config_context(skip_parameter_validation=True):
        for _ in range(N_TREES):
            own.seed(stream.randint(np.iinfo(np.int32).max))
            votes += tree.fit(learned, origin, check_input=False).predict_proba(seen, check_input=False)[:, 1]
    return votes / N_TREES
