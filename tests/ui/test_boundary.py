"""Errors made for people are shown; others are apologised for, and their traceback goes to the log alone."""

import logging
import re

from streamlit.testing.v1 import AppTest


def told() -> None:
    from spectra_core.errors import ReadError
    from ui.boundary import error_boundary

    with error_boundary("Data set"):
        raise ReadError("The file holds no spectra. Choose another.")


def broken() -> None:
    from ui.boundary import error_boundary

    with error_boundary("Data set"):
        raise ZeroDivisionError("the secret path /home/someone")


def stopped() -> None:
    import streamlit as st

    from ui.boundary import error_boundary

    with error_boundary("Data set"):
        st.stop()


def test_an_error_made_for_people_is_shown_as_it_is():
    app = AppTest.from_function(told).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["The file holds no spectra. Choose another."]


def test_any_other_error_is_an_apology_with_the_reference_of_its_log_entry(caplog):
    with caplog.at_level(logging.ERROR, logger="latent_spectra"):
        app = AppTest.from_function(broken).run()
    assert not app.exception
    (shown,) = [error.value for error in app.error]
    assert "secret" not in shown
    reference = re.search(r"reference (\w{8})", shown).group(1)
    (entry,) = [record for record in caplog.records if record.name == "latent_spectra"]
    assert reference in entry.getMessage()
    assert entry.exc_info[0] is ZeroDivisionError


def test_stopping_a_page_is_no_error():
    app = AppTest.from_function(stopped).run()
    assert not app.exception
    assert not app.error
