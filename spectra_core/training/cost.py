"""What a fit costs, estimated from its multiplications: members tell their own in these terms."""

from spectra_core.contracts import Budget

_DIRECT, _EPOCH = 3e-5, 3e-6
"""Gflop per value of the training spectra: of a fit without steps (PCA), and of an epoch of a network that does not
tell its size (about the study's autoencoder)."""

START = 1.5
"""Gflop that would be done until a network's first step: inputs are scaled, or rotated, and weights are drawn."""
CALLS = 0.2
"""Gflop that would be done while an exact fit goes from one small step to the next."""
EIGENVECTORS = 9 * 8.0 / 3
"""Operations per n³ of all eigenvectors of a symmetric matrix (9 n³: Golub & Van Loan, Matrix Computations, 2013,
section 8.3), which take longer than those of products of large matrices."""
THIN = 5.0
"""How much longer an operation takes in products with few columns, and in what is done number by number."""

_COMPONENTS, _SMALLER_IS_SLOWER = 64, 2.0
"""Inputs of networks trained on principal components, at most; such small products run at half the rate."""


def usual_cost(member: object, n_rows: int, n_channels: int) -> float:
    """Return Gflop of fitting a member that does not tell its own cost."""
    epochs = getattr(member, "epochs", None)
    return (_DIRECT if epochs is None else _EPOCH * epochs) * n_rows * n_channels


def network_cost(n_weights: float, n_rows: int, epochs: int, batch_size: int) -> float:
    """Return Gflop of training: three products (forward, two backward) of 2 operations per weight and row."""
    return 6e-9 * n_weights * Budget(epochs=epochs).total_steps(n_rows, batch_size) * batch_size


def inputs_of(coordinates: str, n_channels: int) -> tuple[int, float]:
    """Return what a network sees of a spectrum, and how much longer an operation takes than on all channels."""
    if coordinates == "channels":
        return n_channels, 1.0
    return min(n_channels, _COMPONENTS), _SMALLER_IS_SLOWER
