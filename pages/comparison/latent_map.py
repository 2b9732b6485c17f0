import streamlit as st

from ui import cache, comparison, map_panel, state

st.title("Do they cover the same ground?")
found = comparison.compared()
st.write("One marker a spectrum: near each other where spectra are alike. " + found.sentence)

model = state.model()
with st.container(horizontal=True, vertical_alignment="bottom"):
    space = map_panel.pick_space(model)
    method = st.segmented_control(
        "Map",
        ["PCA", "UMAP", "t-SNE"],
        default="PCA",
        required=True,
        key="map_method",
        persist_state="session",
        help="PCA is a projection and is there at once. UMAP and t-SNE keep neighbours together and run as a job.",
    )
    colour = map_panel.pick_colour(found)
shown_model = model if space == "latent" else None

if method == "PCA":
    table, trust = cache.latent_map(found.sets, shown_model)
else:
    table, trust = map_panel.neighbour_map(found, shown_model, "umap" if method == "UMAP" else "tsne")

columns = st.columns(3)
columns[0].metric(
    "Trustworthiness",
    f"{trust:.2f}",
    help="How far neighbours on the map are neighbours in the space it shows: 1 always, about 0.5 for a random map "
    "(Venna and Kaski 2006; 15 neighbours, at most 2000 spectra).",
)
if method == "PCA":
    columns[1].metric("Variance shown", f"{table['share_x'].iloc[0] + table['share_y'].iloc[0]:.0%}")
map_panel.show(found, table, colour, method=str(method), space=space)

comparison.offer_tables({"latent_map": table})
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **PCA** shows the two directions in which the training spectra vary most; held-out and generated spectra are placed
  on it without changing it. Distances mean something, but much may be hidden in further directions: see the variance
  shown.
- **UMAP** and **t-SNE** place neighbours together. Which spectra are neighbours can be read off; distances between
  groups, their sizes and their density cannot.
- Generated markers should cover the held-out ones: gaps are mixtures that the generator leaves out, islands are
  spectra that no experiment gave.
- Draw a box or a lasso around markers to see their spectra and rows.
"""
    )
