"""The visitor's workspace in a class: sign-in, the link that opens it, what it may hold, until when it is kept."""

import json
from pathlib import Path

import streamlit as st

from spectra_core.store import classroom
from ui import state
from ui.text import counted, plain, size

_KEEP_DAYS = 180
_KEEP = """
<script>
if (!document.cookie.split('; ').some(one => one.startsWith('{name}='))) {{
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = '{name}=' + {secret} + '; path=/; max-age={seconds}; SameSite=Lax' + secure;
}}
</script>
"""
_FORGET = """
<script>
if (document.cookie.split('; ').includes('{name}=' + {secret})) {{
  document.cookie = '{name}=; path=/; max-age=0; SameSite=Lax';
}}
location.replace(location.origin + location.pathname);
</script>
"""
"""Without what stands behind the path: it may open the workspace, and names what lies there."""


def admit() -> None:
    """Let nobody on who has to sign in and has not; on other servers nothing happens."""
    if state.signs_in() is False:
        st.write("This server knows its visitors: what you keep is found again wherever you sign in.")
        st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login, key="sign_in")
        st.stop()


def show() -> None:
    """Show the workspace in the sidebar, where this server is one for a class."""
    if not state.is_class():
        return
    opened = state.workspace()
    if opened.is_left:
        st.html(_FORGET.format(name=state.PARAMETER, secret=json.dumps(opened.secret)), unsafe_allow_javascript=True)
        st.stop()
    if opened.secret and not opened.in_browser:
        _keep_in_browser(opened.secret)
    with st.sidebar:
        label = "Shelf of the class" if opened.is_shelf else "Your workspace"
        icon = ":material/group:" if opened.is_shelf else ":material/person:"
        panel = st.popover(label, icon=icon, width="stretch", key="workspace_panel", on_change="rerun")
        until = classroom.kept_until(opened.home)
        if until is not None:
            st.caption(f"Kept until {until:%d %B %Y}, longer with every visit.")
        if who := state.signed_in_as():
            st.caption(f"Signed in as {plain(who)}.")
            st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign_out")
    if panel.open:
        with panel:
            _show_inside(opened)


def _show_inside(opened: state.Opened) -> None:
    if opened.is_shelf:
        st.write("What you keep here is seen by the whole class, and changed by you alone.")
    else:
        st.write("Nobody else sees what you keep here; what lies on the shelf of the class is seen by all.")
        _show_limits(opened.home)
    if opened.secret:
        st.write("This browser finds it again. Elsewhere, this link opens it: who has the link has everything.")
        st.code(state.link(), language=None, wrap_lines=True)
        has_link = st.checkbox("I have kept the link, or need nothing of it", key="has_link")
        st.button(
            "Leave this workspace",
            icon=":material/logout:",
            on_click=state.leave_workspace,
            disabled=not has_link,
            help="For a computer that others use, too: this browser forgets the workspace, and only the link opens it.",
        )


def _keep_in_browser(secret: str) -> None:
    # Letters, digits, - and _ of a known number: no text of a visitor goes into the script.
    script = _KEEP.format(name=state.PARAMETER, secret=json.dumps(secret), seconds=_KEEP_DAYS * 86400)
    st.html(script, unsafe_allow_javascript=True)


def _show_limits(home: Path) -> None:
    rules = classroom.rules_of(home.parent.parent)
    n_sets = sum(not state.store().is_shared("sets", one.fingerprint) for one in state.store().sets())
    st.caption(
        f"{n_sets} of {counted(rules.sets, 'set')}, {size(classroom.charged_bytes(home))} of "
        f"{size(rules.megabytes * 10**6)}; at most {counted(rules.jobs, 'job')} at once. Not used for "
        f"{counted(rules.idle_days, 'day')}, it is removed."
    )
