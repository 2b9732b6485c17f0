"""Closes the dialog "Page not found" that Streamlit wrongly shows to the first visitor of a fresh server.

See docs/decisions/083: the dialog lies over the right page when the first request is a link to a page.
"""

import streamlit as st

_CLOSE = """
<script>
const until = Date.now() + 10000;
const timer = setInterval(() => {
  for (const dialog of document.querySelectorAll('[data-testid="stDialog"]')) {
    if (dialog.querySelector('h2')?.textContent === 'Page not found') {
      dialog.querySelector('button[aria-label="Close"]')?.click();
      clearInterval(timer);
    }
  }
  if (Date.now() > until) clearInterval(timer);
}, 50);
</script>
"""


def close() -> None:
    """Close the dialog; only in the first run of this process, where nothing else can have opened it."""
    first_runs = _first_runs()
    if first_runs:
        first_runs.clear()
        # A constant of ours: no text of a visitor goes into the script.
        st.html(_CLOSE, unsafe_allow_javascript=True)


@st.cache_resource(show_spinner=False)
def _first_runs() -> list[bool]:
    return [True]
