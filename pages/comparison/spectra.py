import streamlit as st

from spectra_core.evaluation.channels.sentences import look_sentence, reach_sentence
from spectra_core.evaluation.channels.statistics import signal_histograms
from spectra_core.evaluation.examples import examples
from spectra_core.figures import spectra as figures
from ui import cache, comparison
from ui.exports import offer_tables, report_export
from ui.figures import show_figure

st.write("Generated spectra beside experimental ones, all of them at once, and where they differ.")
found = comparison.compared()
st.caption(found.sentence)
training = found.sets["training"]
verdict = st.empty()

with st.container(horizontal=True, vertical_alignment="bottom"):
    view = st.segmented_control(
        "Show",
        ["Density", "Quantile bands", "Single spectra"],
        default="Single spectra" if min(map(len, found.sets.values())) <= figures.FEW else "Density",
        required=True,
        key="spectra_view",
        persist_state="session",
    )
    reference = comparison.pick_reference(found, key="spectra_reference")
    reverse = comparison.pick_direction(training)
labels = {"axis_label": training.axis.label, "signal_label": training.meta.signal_label, "reverse": reverse}

statistics = comparison.channel_statistics(found.sets)
reach = comparison.signal_reach(found.sets)
verdict.markdown(f"{look_sentence(statistics, reference)} {reach_sentence(reach)}")
if view == "Density":
    histograms = cache.shared(signal_histograms, found.sets)
    show_figure(
        cache.drawn(figures.density_comparison, histograms, reference=reference, **labels), key="density_comparison"
    )
    offer_tables({f"density_{role}": table.reset_index() for role, table in histograms.items()})
elif view == "Quantile bands":
    shown = statistics[statistics["role"].isin([reference, "generated"])]
    show_figure(cache.drawn(figures.quantile_fan, shown, **labels), key="quantile_fan")
    offer_tables({"channel_statistics": statistics})
else:
    n_spectra = st.slider("Spectra of each kind", 2, 60, 9, key="n_single_spectra", persist_state="session")
    table = cache.table(examples, {role: found.sets[role] for role in (reference, "generated")}, n_spectra=n_spectra)
    show_figure(cache.drawn(figures.single_spectra, table, **labels), key="single_spectra")
    offer_tables({"single_spectra": table})

single = cache.table(examples, {role: found.sets[role] for role in (reference, "generated")}, n_spectra=9)
report_export(
    comparison.as_result(
        "spectra",
        found,
        {"statistics": statistics, "single": single, "reach": reach},
        reference=reference,
        labels=labels,
    )
)
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Density.** The darker, the more spectra pass through a point; opacity grows with the logarithm of their number, so
  that single spectra stay visible. In the lowest panel, orange marks where generated spectra are more frequent than
  experimental ones, blue where they are rarer; full colour is reached at the 99th percentile of the differences.
- **Quantile bands.** The line is the median; the dark band holds the middle half of the spectra in each channel, the
  light one the middle 90 %.
- **Single spectra** are chosen at equal steps from the weakest to the strongest mean signal, not at random.
- Spectra that look alike may still be copies or too smooth: see *Neighbours*, and the noise ratio under *Channels*.
"""
    )
