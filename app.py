"""Latent Spectra: page settings, menu in the order of work, status line, one error boundary."""

import streamlit as st

from ui import false_alarm, figures, garbage, menu, ready, state, status_line, umap_warm, workspace_panel
from ui.boundary import error_boundary

garbage.share_arenas()
st.set_page_config(
    page_title="Latent Spectra",
    page_icon=str(menu.ROOT / "ui/static/favicon.png"),
    layout="wide",
)
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(str(menu.ROOT / f"ui/static/logo_{theme}.png"), size="large")
for style in ("page.css", "dark.css")[: 2 if theme == "dark" else 1]:
    st.html(menu.ROOT / "ui/static" / style)

page = st.navigation(
    {
        section: [
            st.Page(entry.path, title=entry.title, icon=entry.icon, default=entry.path == menu.HOME)
            for entry in entries
        ]
        for section, entries in menu.MENU.items()
    },
    expanded=True,
)
false_alarm.close()
with error_boundary(page.title):
    workspace_panel.admit()
    state.begin_run()
    workspace_panel.show()
    notices = status_line.show()
    # The heading is where the way past the menu leads; first of all that the keyboard reaches.
    st.html('<a class="skip-to-page" href="#page" tabindex="1">Go past the menu</a>')
    st.title(page.title, anchor="page")
    st.markdown(f"**{menu.question_of(page.title)}**")
    with state.warned_in(notices):
        page.run()
with st.sidebar:
    figures.pick_format()
ready.begin()
umap_warm.begin()
garbage.SPARED.modules()
