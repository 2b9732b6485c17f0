"""Intervals, scores, limits and PLS beside those of other packages, as far as these are installed.

    pip install mapie crepes properscoring scoringrules chemotools
    python benchmarks/against_packages.py

R's pls is asked where `Rscript` runs (Debian: r-base-core and r-cran-pls). One row is printed per quantity and package,
with the largest difference over the largest number.
"""

import importlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration.applicability import Applicability, moment_limit, t2_limit
from spectra_core.calibration.conformal import interval
from spectra_core.evaluation.errors.intervals import crps
from spectra_core.regressors.pls import Products, cross_validated_errors, pls1_path
from spectra_core.splits import Split

Floats = NDArray[np.float64]
LEVELS = (0.8, 0.9, 0.95)
RNG = np.random.default_rng(0)
X, NEW = RNG.normal(size=(97, 12)), RNG.normal(size=(40, 12))
Y = X @ RNG.normal(size=12) + 0.3 * RNG.standard_t(4, size=97)
FOLD = RNG.permutation(np.arange(97) % 10)


def mapie(fold: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """CV+ with these folds, and jackknife+ where every row is one: both ends at every level."""
    from mapie.regression import CrossConformalRegressor
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import PredefinedSplit

    made = CrossConformalRegressor(Ridge(), confidence_level=list(LEVELS), method="plus", cv=PredefinedSplit(fold))
    theirs = made.fit_conformalize(X, Y).predict_interval(NEW)[1]  # (n_new, 2, n_levels)
    models = [Ridge().fit(X[fold != number], Y[fold != number]) for number in range(fold.max() + 1)]
    scores = np.array([abs(Y[row] - models[fold[row]].predict(X[row : row + 1])[0]) for row in range(len(Y))])
    centres = np.stack([model.predict(NEW) for model in models])
    return theirs, ours(centres, np.ones_like(centres), scores, fold)


def crepes() -> tuple[Floats, Floats]:
    """Split conformal intervals, residuals scaled: CV+ with a single model."""
    from crepes import ConformalRegressor

    residuals, sigmas = RNG.standard_t(4, size=97), RNG.uniform(0.5, 2.0, 97)
    centres, sizes = RNG.normal(size=(1, 40)), RNG.uniform(0.5, 2.0, (1, 40))
    made = ConformalRegressor().fit(residuals=residuals, sigmas=sigmas)
    theirs = [made.predict_int(y_hat=centres[0], sigmas=sizes[0], confidence=level) for level in LEVELS]
    found = ours(centres, sizes, np.abs(residuals) / sigmas, np.zeros(97, dtype=np.int64))
    return np.stack(theirs, axis=2), found


def ours(centres: Floats, sizes: Floats, scores: Floats, fold: NDArray[np.int64]) -> Floats:
    """Both ends of intervals at every level, (n_new, 2, n_levels)."""
    rows = np.arange(len(scores))
    ends = [interval(centres, sizes, scores, fold=fold, groups=rows, level=level) for level in LEVELS]
    return np.stack([np.column_stack(pair) for pair in ends], axis=2)


def scores_of(function: Callable[[Floats, Floats], Floats]) -> tuple[Floats, Floats]:
    """CRPS of ensembles."""
    observed, members = RNG.normal(size=50), RNG.normal(size=(50, 31))
    return function(observed, members), crps(observed, members)


def chemotools() -> dict[str, tuple[Floats, Floats]]:
    """T2, Q and their limits on the same components, and by moments of the same residuals."""
    from chemotools.outliers import HotellingT2, QResiduals
    from sklearn.decomposition import PCA

    signal, new = X @ RNG.normal(size=(12, 60)), NEW @ RNG.normal(size=(12, 60))
    signal += 0.01 * RNG.normal(size=signal.shape)
    usual = Applicability.fit(signal, FOLD, np.arange(97))
    n, a = len(signal), len(usual.variances)
    pca = PCA(a, svd_solver="full").fit(signal)
    t2 = HotellingT2(pca, confidence=0.99).fit(signal)
    q = QResiduals(pca, confidence=0.99, method="chi-square").fit(signal)
    left = np.linalg.eigvalsh(np.cov((signal - pca.inverse_transform(pca.transform(signal))).T))
    left = left[left > 1e-12]
    return {
        "T2": (t2.predict_residuals(new), usual.t2(new)),
        # Theirs is for the calibration samples themselves; new ones scatter by (n + 1) / n more.
        "limit of T2": (np.array([t2.critical_value_ * (n + 1) / n]), np.array([t2_limit(n, a)])),
        "Q": (q.predict_residuals(new), usual.q(new)),
        "limit of Q": (np.array([q.critical_value_]), np.array([moment_limit(left.sum(), 2 * (left**2).sum())])),
    }


def relative(theirs: Floats, own: Floats) -> float:
    """Return the largest difference over the largest number."""
    return float(np.abs(theirs - own).max() / np.abs(theirs).max())


N_COMPONENTS = 8
R_PLS = f"""
library(pls)
options(digits = 17)
x <- as.matrix(read.csv("x.csv", header = FALSE))
y <- scan("y.csv", quiet = TRUE)
fold <- scan("fold.csv", quiet = TRUE)
fit <- plsr(y ~ x, ncomp = {N_COMPONENTS}, method = "METHOD", validation = "CV", segments = split(seq_along(y), fold))
write(as.character(packageVersion("pls")), "version")
write.table(matrix(coef(fit, ncomp = 1:{N_COMPONENTS}), ncol(x)), "coefficients", row.names = FALSE, col.names = FALSE)
for (kind in c("train", "CV")) write(RMSEP(fit, estimate = kind, intercept = FALSE)$val, kind, ncolumns = 1)
"""


def r_pls(method: str) -> tuple[str, dict[str, tuple[Floats, Floats]]]:
    """Coefficients, RMSEC and RMSECV of PLS with 1, 2, ... components, on 97 spectra of 60 channels, in ten parts."""
    signal = X @ RNG.normal(size=(12, 60)) + 0.1 * RNG.normal(size=(97, 60))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savetxt(folder / "x.csv", signal, delimiter=",", fmt="%.17g")
        np.savetxt(folder / "y.csv", Y, fmt="%.17g")
        np.savetxt(folder / "fold.csv", FOLD, fmt="%d")
        subprocess.run(["Rscript", "-e", R_PLS.replace("METHOD", method)], cwd=folder, check=True, capture_output=True)
        theirs = [np.loadtxt(folder / one) for one in ("coefficients", "train", "CV")]
        which = (folder / "version").read_text().strip()
    x, y = signal - signal.mean(axis=0), (Y - Y.mean())[:, None]
    products = Products(x.T @ x, x.T @ y)
    path = pls1_path(*products, N_COMPONENTS)[:, :, 0]
    splits = [Split(np.flatnonzero(number != FOLD), np.flatnonzero(number == FOLD)) for number in range(10)]
    errors = cross_validated_errors(x, y, splits, N_COMPONENTS, products=products, scales=[np.ones(60)])[0, :, :, 0]
    rmsecv = np.sqrt(np.average(errors, axis=0, weights=np.bincount(FOLD)))
    own = path.T, np.sqrt(((x @ path.T - y) ** 2).mean(axis=0)), rmsecv
    return which, dict(zip(("coefficients", "RMSEC", "RMSECV"), zip(theirs, own, strict=True), strict=True))


def main() -> None:
    """Compare with what is installed."""
    wanted: dict[str, Callable[[], dict[str, tuple[Floats, Floats]]]] = {
        "mapie": lambda: {"CV+": mapie(FOLD), "jackknife+": mapie(np.arange(97))},
        "crepes": lambda: {"scaled split conformal": crepes()},
        "properscoring": lambda: {
            "CRPS": scores_of(lambda y, x: importlib.import_module("properscoring").crps_ensemble(y, x))
        },
        "scoringrules": lambda: {
            "CRPS": scores_of(lambda y, x: importlib.import_module("scoringrules").crps_ensemble(y, x, estimator="nrg"))
        },
        "chemotools": chemotools,
    }
    rows = []
    for name, compared in wanted.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            print(f"{name} is not installed.")
            continue
        for what, (theirs, own) in compared().items():
            rows.append((what, f"{name} {installed}", theirs.size, relative(theirs, own)))
    for method in ("kernelpls", "simpls") if shutil.which("Rscript") else ():
        which, quantities = r_pls(method)
        for what, (theirs, own) in quantities.items():
            rows.append((f"PLS, {what}", f"R pls {which}, {method}", theirs.size, relative(theirs, own)))
    shown = pd.DataFrame(rows, columns=["quantity", "package", "numbers", "largest difference"])
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.1e}"))


if __name__ == "__main__":
    main()
