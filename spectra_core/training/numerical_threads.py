"""How many threads work: inside one operation one, wherever a result is kept; side by side, one a processor."""

THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Variables that numerical libraries read, when they are loaded, for their number of threads."""


def n_processors() -> int:
    """Return how many processors this process may use: where a container or the system allows few, only those."""
    from joblib import cpu_count  # with scikit-learn, where that is not loaded yet

    return int(cpu_count())
