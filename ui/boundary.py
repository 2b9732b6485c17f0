"""Where errors end: a sentence for the visitor, the traceback for the log."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from spectra_core.errors import SpectraCoreError
from ui.text import sentence

_log = logging.getLogger("latent_spectra")


@contextmanager
def error_boundary(where: str) -> Iterator[None]:
    """Show errors made for people as they are; anything else as an apology with the reference of its log entry.

    Parameters
    ----------
    where
        The page, for the log.
    """
    try:
        yield
    except SpectraCoreError as error:
        st.error(sentence(error), icon=":material/error:")
    except Exception:
        reference = uuid.uuid4().hex[:8]
        _log.exception("Error %s on page %s", reference, where)
        st.error(
            "Sorry, something went wrong that should not have. Your data and results are safe. "
            f"If it happens again, please report it with the reference {reference}.",
            icon=":material/error:",
        )
