"""Tables of all pairs, block of rows by block of rows, on all processors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from spectra_core.training.numerical_threads import n_processors

MOST_THREADS = 4


def by_blocks(n_rows: int, size: int, work: Callable[[slice], None]) -> None:
    """Call `work` with every block of `size` rows, several at a time.

    Numpy lets go of Python's lock in products, sorts and sums. Blocks do not depend on the number of threads and each
    writes its own rows, so neither does any number.
    """
    blocks = [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
    n_threads = min(MOST_THREADS, n_processors(), len(blocks))
    if n_threads <= 1:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="blocks") as pool:
        list(pool.map(work, blocks))  # raises what a block raised
