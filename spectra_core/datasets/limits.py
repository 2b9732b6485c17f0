"""How large a file may be, before and after it is unpacked."""

from spectra_core.errors import ReadError

MEGABYTE = 1_000_000
MAX_FILE_BYTES = 512 * 2**20
MAX_UNPACKED_BYTES = 1024 * MEGABYTE
MAX_RATIO = 200  # text of constant digits packs 100-fold; bombs pack 1000-fold
MAX_CELLS = 200_000_000
MAX_CHANNELS = 1_000_000
MAX_SPECTRA = 5_000_000
MAX_MEMBERS = 5_000
UNSUSPICIOUS_BYTES = 20 * MEGABYTE  # below this, unpacking harms nobody whatever the ratio


def require_size(n_bytes: int) -> None:
    """Refuse a file that is too large to be read.

    Raises
    ------
    ReadError
        Naming its size and what is accepted.
    """
    if n_bytes > MAX_FILE_BYTES:
        raise ReadError(f"The file has {n_bytes / 2**20:.0f} MB; at most {MAX_FILE_BYTES // 2**20} MB are read.")


def require_cells(n_rows: int, n_columns: int, what: str) -> None:
    """Refuse a table whose declared size no spectrometer produces.

    Raises
    ------
    ReadError
        Naming what was declared and what is accepted.
    """
    if n_columns > MAX_CHANNELS or n_rows > MAX_SPECTRA or n_rows * n_columns > MAX_CELLS:
        raise ReadError(
            f"{what} declares {n_rows:,} x {n_columns:,} cells. At most {MAX_CELLS:,} cells in {MAX_CHANNELS:,} "
            "columns are read: save only the cells that hold data, or split the file."
        )


def require_unpacked(packed: int, unpacked: int, what: str) -> None:
    """Refuse an archive that grows beyond reason when unpacked.

    Raises
    ------
    ReadError
        Naming both sizes.
    """
    suspicious = unpacked > UNSUSPICIOUS_BYTES and unpacked > MAX_RATIO * max(packed, 1)
    if unpacked > MAX_UNPACKED_BYTES or suspicious:
        raise ReadError(
            f"{what} has {packed / MEGABYTE:.1f} MB and would unpack to {unpacked / MEGABYTE:,.0f} MB, far more than "
            f"tables of spectra do. Unpack it yourself and load the file inside."
        )
