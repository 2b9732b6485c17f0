"""What concentration sets are made of: salts that are known, or independent components found in the data.

Ions come as salts, so their concentrations are not independent: a box of ions holds solutions that cannot exist,
a box of salts does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spectra_core.spectra import SpectraSet, require_targets

FoundFrom = Literal["provenance", "linear dependence", "none"]

DEPENDENCE_TOLERANCE = 1e-3
"""Largest misfit of a relation, in standard deviations of a target: labels are often rounded to three digits."""

MAX_ROWS_FITTED = 4000
"""Spectra whose salts are estimated, evenly spaced over the set; ranges hardly change beyond, the time would."""


@dataclass(frozen=True, eq=False)
class SaltBasis:
    """How the targets of a set follow from independent components, targets = offset + amounts @ matrix.

    Parameters
    ----------
    found_from
        "provenance" (the set says which salts it was made of), "linear dependence" (independent targets, from
        which the others follow), or "none" (every target is independent of the others).
    names : n_salts
        Salts, or names of the independent targets.
    target_names : n_targets
        In the order of the set.
    matrix : (n_salts, n_targets)
        Units of a target per unit of a salt: stoichiometric numbers.
    offset : (n_targets,)
        Targets at zero amounts; zero wherever relations are of salts.
    lower, upper : (n_salts,)
        Smallest and largest amount in the data, in the targets' unit.
    amounts : (n_rows, n_salts)
        Of each salt in each solution of the data; of large sets evenly spaced rows.
    present : (n_rows, n_salts)
        Which salts each of these solutions holds.
    target_lower, target_upper : (n_targets,)
        Smallest and largest value of every target in the data.
    explanation
        One sentence for the person.
    """

    found_from: FoundFrom
    names: tuple[str, ...]
    target_names: tuple[str, ...]
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    amounts: NDArray[np.float64]
    present: NDArray[np.bool_]
    target_lower: NDArray[np.float64]
    target_upper: NDArray[np.float64]
    explanation: str

    @property
    def n_salts(self) -> int:
        """Number of salts, or of independent targets."""
        return len(self.names)

    @property
    def relations(self) -> tuple[str, ...]:
        """How each dependent target follows from the salts, such as "NO3 = 2 Cu + 2 Ni + 3 Cr"."""
        dependent = [i for i, name in enumerate(self.target_names) if name not in self.names]
        return tuple(_relation(self.target_names[i], self.matrix[:, i], self.offset[i], self.names) for i in dependent)

    def targets_of(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return targets (n_sets, n_targets) made of `amounts` (n_sets, n_salts) of the salts."""
        targets: NDArray[np.float64] = self.offset + amounts @ self.matrix
        return targets

    def is_possible(self, targets: NDArray[np.float64], *, within_range: bool = False) -> NDArray[np.bool_]:
        """Return which rows hold no negative value where the data have none, or none outside the data's range."""
        largest = np.maximum(np.abs(self.lower), np.abs(self.upper))
        rounding = 1e-12 * (np.abs(self.offset) + largest @ np.abs(self.matrix))
        lowest = self.target_lower if within_range else np.where(self.target_lower >= 0, 0.0, -np.inf)
        highest = self.target_upper if within_range else np.inf
        return np.asarray(((targets >= lowest - rounding) & (targets <= highest + rounding)).all(axis=1))


def salt_basis(train: SpectraSet) -> SaltBasis:
    """Find what the concentration sets of `train` are made of.

    Salts named in ``train.meta.provenance["salts"]`` ({salt: {target: stoichiometric number}}) are used where they
    explain every target. Else the data's own linear dependence is used: its rank by singular values, then as few
    independent targets, chosen so that the others are sums of them (no differences) where that is possible, else by
    QR with column pivoting (Golub & Van Loan, Matrix Computations, section 5.4).

    With more salts than the rank of their ions, amounts are not unique. They are then estimated spectrum by
    spectrum by non-negative least squares, which explains a solution by few salts; only their ranges are used.

    Raises
    ------
    SpectraError
        When `train` has no targets.
    """
    require_targets(train)
    return _known_salts(train) or _found_dependence(train) or _independent_targets(train)


def _known_salts(train: SpectraSet) -> SaltBasis | None:
    salts = train.meta.provenance.get("salts")
    if not isinstance(salts, Mapping) or not salts:
        return None
    matrix = _stoichiometry(salts, train.target_names)
    if matrix is None:
        return None
    used = np.asarray(matrix.any(axis=1))
    matrix, names = matrix[used], [str(name) for name, is_used in zip(salts, used, strict=True) if is_used]
    if not matrix.any(axis=0).all():
        return None  # a target that no salt holds
    amounts, misfit = _amounts(train.target_values, matrix)
    if misfit > 10 * DEPENDENCE_TOLERANCE:
        return None  # the labels were changed, or something else was added
    sentence = f"The set was made of {len(names)} salts: {', '.join(names)}."
    if np.linalg.matrix_rank(matrix) < len(matrix):
        sentence += (
            " Their ions do not tell their amounts apart, so ranges are those of a fit with few salts "
            "per solution (non-negative least squares)."
        )
    offset = np.zeros(train.n_targets)
    return _basis("provenance", names, train, amounts=amounts, matrix=matrix, offset=offset, explanation=sentence)


def _stoichiometry(salts: Mapping[str, Any], target_names: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Return the matrix (n_salts, n_targets), or None where provenance holds something else than expected."""
    try:
        rows = [[float(ions.get(name, 0.0)) for name in target_names] for ions in salts.values()]
    except (AttributeError, TypeError, ValueError):
        return None
    return np.array(rows)


def _amounts(targets: NDArray[np.float64], matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return non-negative salt amounts and the largest misfit of a target, in its standard deviations."""
    from scipy.optimize import nnls

    chosen = np.unique(np.linspace(0, len(targets) - 1, min(len(targets), MAX_ROWS_FITTED)).astype(int))
    rows = targets[chosen]
    scale = _scale(targets)
    amounts = np.array([nnls(matrix.T / scale[:, None], row / scale)[0] for row in rows])
    misfit = np.sqrt((((amounts @ matrix - rows) / scale) ** 2).mean(axis=0)).max()
    return amounts, float(misfit)


def _found_dependence(train: SpectraSet) -> SaltBasis | None:
    values = train.target_values
    scale = _scale(values)
    centred = (values - values.mean(axis=0)) / scale
    singular = np.linalg.svd(centred, compute_uv=False)
    rank = int((singular > DEPENDENCE_TOLERANCE * np.sqrt(len(values))).sum())
    if rank in (0, train.n_targets):
        return None
    independent = _sum_generators(values / scale, rank)
    if independent is None:
        from scipy.linalg import qr

        independent = sorted(qr(centred, pivoting=True, mode="r")[1][:rank].tolist())
    matrix, offset = _map_from(values, independent, scale)
    names = [train.target_names[i] for i in independent]
    basis = _basis("linear dependence", names, train, amounts=values[:, independent], matrix=matrix, offset=offset)
    return replace(basis, explanation=f"The targets depend on each other in the data: {'; '.join(basis.relations)}.")


def _sum_generators(columns: NDArray[np.float64], rank: int) -> list[int] | None:
    """Return `rank` columns of which all others are sums with positive factors, or None where there are none.

    Columns that are such sums are set aside one by one; what is left spans the cone of all columns.
    """
    from scipy.optimize import nnls

    kept = [i for i in range(columns.shape[1]) if np.ptp(columns[:, i]) > 0]
    for column in sorted(kept, key=lambda i: -columns[:, i].sum()):
        others = [i for i in kept if i != column]
        if len(kept) > rank and others:
            # The triangular factor has the same least squares problem as the whole table, in a few rows.
            triangle = np.asarray(np.linalg.qr(columns[:, [*others, column]], mode="r"))
            _, misfit = nnls(triangle[:, :-1], triangle[:, -1])
            if misfit <= DEPENDENCE_TOLERANCE * np.sqrt(len(columns)):
                kept = others
    return kept if len(kept) == rank else None


def _map_from(
    values: NDArray[np.float64], independent: list[int], scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return matrix and offset that give all targets from the independent ones, by least squares."""
    chosen = values[:, independent]
    tolerance = DEPENDENCE_TOLERANCE * scale
    matrix, *_ = np.linalg.lstsq(chosen, values, rcond=None)
    offset = np.zeros(values.shape[1])
    loose = np.sqrt(((chosen @ matrix - values) ** 2).mean(axis=0)) > tolerance
    if loose.any():
        # Fractions that add up to one, or a constant target, need an offset; sums of ions do not.
        with_one = np.column_stack([np.ones(len(chosen)), chosen])
        solution, *_ = np.linalg.lstsq(with_one, values[:, loose], rcond=None)
        offset[loose], matrix[:, loose] = solution[0], solution[1:]
    matrix[:, independent] = np.eye(len(independent))
    offset[independent] = 0.0
    # Least squares leaves rounding where a factor is zero or whole.
    tidy = np.round(matrix, 9)
    matrix = np.where(np.isclose(matrix, tidy, rtol=0, atol=1e-10), tidy, matrix)
    return np.asarray(matrix + 0.0, dtype=np.float64), offset  # turns -0 into 0


def _independent_targets(train: SpectraSet) -> SaltBasis:
    return _basis(
        "none",
        train.target_names,
        train,
        amounts=train.target_values,
        matrix=np.eye(train.n_targets),
        offset=np.zeros(train.n_targets),
        explanation="No target follows from the others, so the counter-ions are not among the targets, and strategies "
        "that keep charge balance are not offered.",
    )


def _basis(
    found_from: FoundFrom,
    names: Sequence[str],
    train: SpectraSet,
    *,
    amounts: NDArray[np.float64],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    explanation: str = "",
) -> SaltBasis:
    """Measure ranges and presence on the amounts (n_rows, n_salts) that were found."""
    absent_below = DEPENDENCE_TOLERANCE * np.abs(amounts).max(axis=0)
    return SaltBasis(
        found_from,
        tuple(names),
        train.target_names,
        matrix,
        offset,
        lower=amounts.min(axis=0),
        upper=amounts.max(axis=0),
        amounts=amounts,
        present=np.abs(amounts) > absent_below,
        target_lower=train.target_values.min(axis=0),
        target_upper=train.target_values.max(axis=0),
        explanation=explanation,
    )


def _scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit in which a misfit of each target is judged: its spread, or its size where it is constant."""
    constant = values.min(axis=0) == values.max(axis=0)
    size = np.abs(values).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    spread = values.std(axis=0)
    spread = np.where(spread > 0, spread, (values / size).std(axis=0) * size)  # squares of 1e-200 are 0, and no spread
    return np.asarray(np.where(constant, size, spread), dtype=np.float64)


def _relation(name: str, factors: NDArray[np.float64], offset: float, names: tuple[str, ...]) -> str:
    """Spell out one relation; factors below a thousandth of the largest are rounding."""
    largest = np.abs(factors).max(initial=0.0)
    terms = [(factor, salt) for factor, salt in zip(factors, names, strict=True) if abs(factor) > 1e-3 * largest]
    parts = [f"{'-' if factor < 0 else '+'} {_factor(abs(factor))}{salt}" for factor, salt in terms]
    if offset != 0 or not parts:
        parts.insert(0, f"{'-' if offset < 0 else '+'} {abs(offset):.4g}")
    text = " ".join(parts)
    return f"{name} = {text.removeprefix('+ ')}"


def _factor(size: float) -> str:
    return "" if np.isclose(size, 1.0, atol=5e-4) else f"{size:.4g} "
