from math import isnan

import streamlit as st

from spectra_core.evaluation.latent.sentences import ground_sentence
from ui import cache, comparison, map_panel, models, state, traversal_panel
from ui.exports import report_export
from ui.text import percent, significant

st.write("One marker a spectrum: near each other where spectra are alike.")
found = comparison.compared()
st.caption(found.sentence)
verdict = st.empty()

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
        help="PCA is a projection. UMAP and t-SNE keep neighbours together; t-SNE takes longer and runs as a job.",
    )
shown_model = model if space == "latent" else None

laid_out = {"UMAP": map_panel.umap, "t-SNE": map_panel.tsne}
drawn = laid_out[method](found, shown_model) if method in laid_out else None
if drawn is None and method != "t-SNE":
    method, drawn = "PCA", cache.table(map_panel.draw_map, found.sets, shown_model, "PCA")

if drawn is not None:
    table, trust = drawn
    verdict.markdown(ground_sentence(table))
    columns = st.columns(3)
    columns[0].metric(
        "Trustworthiness",
        "not known" if isnan(trust) else significant(trust),
        help="How far neighbours on the map are neighbours in the space it shows: 1 always, about 0.5 for a random map "
        "(Venna and Kaski 2006; 15 neighbours, at most 2000 spectra).",
    )
    if method == "PCA":
        columns[1].metric("Variance shown", percent(table["share_x"].iloc[0] + table["share_y"].iloc[0]))
    map_panel.show(found, table, model, method=str(method), space=space)
    report_export(map_panel.as_result(found, shown_model, str(method), drawn))

if model is not None and models.has_latent_space(model):
    traversal_panel.show(found, model)

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
- **Error of the label** is the label minus what the spectrum says. Generated spectra that were labelled by reading
  their own spectrum show none: that is no proof of honesty, see *Fidelity*.
- **A walk** changes the latent point step by step. Shaded stretches have left the data: the step is farther from every
  training spectrum than 95 % of them are from one of another mixture, or beyond the range of all of them. What the
  decoder draws there no measurement has confirmed. A conditional generator is asked for the concentrations you choose,
  or for those of the spectra that the walk starts from.
- **Information.** The KL divergence of a dimension is what it carries on a spectrum, in nats. A dimension is active
  when its posterior mean varies by more than 0.01 (Burda, Grosse and Salakhutdinov, ICLR 2016); a step along an
  inactive one changes nothing.
"""
    )
