"""Regular tables of text, read at once: nothing but whole rows, in columns of names or of finite numbers with gaps.

Most large tables are like that. Arrow reads them without a detour through Python and refuses whatever is not: a row of
another length, a cell of text among numbers, a remark. Such a table is read by `delimited` with care.
"""

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.parts import Cells
from spectra_core.datasets.readers.dialects import Layout
from spectra_core.spectra.locking import all_finite

_TOKENS = "NaN nan NAN NA N/A n/a #N/A null NULL None - -- --- ---- ? * ** *** OVRFLW OVER Over #NUM! #DIV/0! #VALUE!"
MISSING_TOKENS = ["", *_TOKENS.split()]
MANY_BYTES = 1 << 20  # below, threads cost more than they save
_BLOCK = 1 << 22
_MARK = b"\xef\xbb\xbf"


def regular_cells(
    data: bytes, layout: Layout, textual: list[int]
) -> tuple[NDArray[np.float64], dict[int, Cells]] | None:
    """Return the cells of a table in UTF-8 whose every line from `layout.start` on is a full row, or None.

    Parameters
    ----------
    data
        The whole file; lines end with LF or CR LF.
    textual
        Columns of names; all others must hold a finite number or a mark of a missing one in every row.

    Returns
    -------
    numbers : (n_rows, n_columns)
        NaN in columns of names and where a value is missing. Every number is the double nearest to its digits.
    text
        Cells of the columns of names.
    """
    import pyarrow as pa
    import pyarrow.csv

    start = len(_MARK) if data.startswith(_MARK) else 0
    for _ in range(layout.start):
        start = data.find(b"\n", start) + 1
        if start == 0:
            return None
    if layout.separator == " " or data.find(b'"', start) >= 0:
        return None
    n_columns = layout.n_columns
    names = [str(column) for column in range(n_columns)]
    kinds = {name: pa.string() if column in textual else pa.float64() for column, name in enumerate(names)}
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(start, len(data.rstrip()) - start)),
            pyarrow.csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=len(data) - start > MANY_BYTES),
            pyarrow.csv.ParseOptions(delimiter=layout.separator, quote_char=False, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=kinds, decimal_point=layout.decimal, null_values=MISSING_TOKENS, strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None
    numeric = [column for column in range(n_columns) if column not in textual]
    run = bool(numeric) and numeric == list(range(numeric[0], numeric[-1] + 1))
    columns = slice(numeric[0], numeric[-1] + 1) if run else numeric
    numbers = np.empty((table.num_rows, n_columns))
    numbers[:, textual] = np.nan
    done = 0
    for batch in table.to_batches() if numeric else []:
        # Turned from columns to rows batch by batch, which fits into the processor's cache.
        cells = batch.select(numeric)
        values = cells.to_tensor(null_to_nan=True).to_numpy()
        n_missing = sum(column.null_count for column in cells.columns)
        finite = all_finite(values) if n_missing == 0 else np.isfinite(values).sum() == values.size - n_missing
        if not finite or (n_missing >= len(numeric) and np.isnan(values).all(axis=1).any()):
            return None  # infinite, or one of the words that are no numbers; or a row without any
        numbers[done : done + batch.num_rows, columns] = values
        done += batch.num_rows
    return numbers, {column: tuple(cell.strip() for cell in table.column(column).to_pylist()) for column in textual}
