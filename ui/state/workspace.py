"""Which data folder this visitor works in: the one of the computer, or in a class a workspace of the visitor's own."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from spectra_core.errors import StoreError
from spectra_core.store import classroom, home_folder
from ui.state.notice_board import notify

CLASS_SWITCH = "SPECTRA_CLASS"
"""The variable that makes a server one for a class."""
COOKIE = PARAMETER = "workspace"
"""What a workspace is opened by, in the browser and in a link."""
_WORKSPACE = "workspace"
"""Session key."""


@dataclass(frozen=True)
class Opened:
    """The workspace of this session.

    Parameters
    ----------
    home
        Its data folder.
    secret
        What opens it elsewhere; empty for somebody who signed in, whom it follows anyway.
    in_link
        Whether it is the address that says so, against what the browser keeps.
    in_browser
        Whether the browser keeps a secret.
    is_left
        Whether the visitor has left it.
    """

    home: Path
    secret: str = ""
    in_link: bool = False
    in_browser: bool = False
    is_left: bool = False

    @property
    def is_shelf(self) -> bool:
        """Whether this is the shelf of the class, filled by its teacher."""
        return not classroom.is_workspace(self.home)


def is_class() -> bool:
    """Whether this server is one for a class."""
    return os.environ.get(CLASS_SWITCH, "").strip() not in ("", "0")


def signs_in() -> bool | None:
    """Whether this visitor has signed in; None where this server asks nobody to."""
    told = st.user.to_dict().get("is_logged_in") if is_class() else None
    return None if told is None else bool(told)


def signed_in_as() -> str:
    """Return who has signed in, as the provider names people to people; "" where nobody has."""
    told = st.user.to_dict() if signs_in() else {}
    return str(next((told[claim] for claim in ("email", "name", "sub") if told.get(claim)), ""))


def leave_workspace() -> None:
    """Note that the visitor leaves the workspace; a callback."""
    st.session_state[_WORKSPACE] = replace(workspace(), is_left=True)


def home() -> str:
    """Return the data folder of this visitor, "" for the default; the key of everything on disk."""
    return str(workspace().home) if is_class() else os.environ.get("SPECTRA_HOME", "")


def workspace() -> Opened:
    """Return the workspace of this session, in a class.

    Raises
    ------
    StoreError
        Outside a session, such as in the thread that makes a download: nobody's folder may stand in; and before
        somebody who must sign in has done so.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        raise StoreError("Nobody's workspace is open here. Load the page again.")
    if _WORKSPACE not in st.session_state:
        st.session_state[_WORKSPACE] = _opened()
    opened: Opened = st.session_state[_WORKSPACE]
    return opened


def begin_workspace() -> None:
    """Open the workspace, note that it is used, and keep its secret out of the address where the browser knows it."""
    if not is_class():
        return
    opened = workspace()
    classroom.note_use(opened.home)
    if opened.in_link:
        st.query_params[PARAMETER] = opened.secret
    else:
        st.query_params.pop(PARAMETER, None)


def link() -> str:
    """Return the address that opens this workspace elsewhere."""
    address = urlsplit(str(st.context.url or ""))
    return f"{address.scheme or 'http'}://{address.netloc}/?{PARAMETER}={workspace().secret}"


def _opened() -> Opened:
    """Open what identity, link or browser ask for, in this order; else a new workspace."""
    folder = home_folder().absolute()
    asked, kept = st.query_params.get(PARAMETER, ""), str(st.context.cookies.get(COOKIE, ""))
    if signs_in() is not None:
        return _of_identity(folder, asked)
    in_browser = classroom.is_secret(kept)
    if classroom.is_secret(asked):
        found = classroom.home_of_secret(folder, asked)
        if not found.exists():
            notify("Nothing is kept in this workspace: it is new, or was removed after nobody had used it for long.")
        return Opened(found, asked, in_link=asked != kept and in_browser, in_browser=in_browser)
    if asked:
        notify("This link to a workspace is incomplete, so it was not opened. Copy it whole.", warning=True)
    secret = kept if in_browser else classroom.new_secret()
    return Opened(classroom.home_of_secret(folder, secret), secret, in_browser=in_browser)


def _of_identity(folder: Path, asked: str) -> Opened:
    if not signs_in():
        raise StoreError("This server knows its visitors. Sign in first.")
    if classroom.is_secret(asked) and classroom.home_of_secret(folder, asked) == folder:
        return Opened(folder, asked, in_link=True)  # the teacher
    issuer, subject = (st.user.to_dict().get(claim) for claim in ("iss", "sub"))
    if not (isinstance(issuer, str) and isinstance(subject, str)):
        raise StoreError("The sign-in named nobody (no iss and sub). Ask who set it up.")
    return Opened(classroom.home_of_identity(folder, issuer, subject))
