import pandas as pd
import streamlit as st

from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.similarity.distances import DISTANCES, distance_unit
from spectra_core.evaluation.similarity.neighbours import pair_difference
from spectra_core.evaluation.similarity.sentences import copies_sentence
from spectra_core.figures import neighbours as figures
from spectra_core.figures.theme import role_name
from ui import cache, comparison, neighbour_panel, state, tables, targets
from ui.exports import offer_tables, report_export
from ui.figures import show_figure
from ui.text import percent, plain, significant

st.write("Each generated spectrum beside the experimental spectrum nearest to it.")
found = comparison.compared()
st.caption(found.sentence)
training = found.sets["training"]
verdict = st.empty()

with st.container(horizontal=True, vertical_alignment="bottom"):
    metric = st.selectbox(
        "Distance",
        list(DISTANCES),
        format_func=lambda name: name.replace("_", " ").capitalize(),
        key="neighbour_metric",
        persist_state="session",
        help="  \n".join(f"**{name.replace('_', ' ')}**: {words}" for name, words in DISTANCES.items()),
    )
    reference = comparison.pick_reference(found, key="neighbour_reference")
    window = None
    if found.same_targets and st.toggle(
        "Among similar concentrations", key="neighbour_similar", persist_state="session"
    ):
        window = st.slider(
            "Every target within (standard deviations)",
            0.05,
            2.0,
            0.5,
            0.05,
            key="neighbour_window",
            persist_state="session",
        )

nearest = neighbour_panel.find(found, metric, window)
if nearest is None:
    st.stop()
table, kept = nearest.tables["neighbours"], nearest.tables.get("memorisation")
n_copies, n_generated = nearest.document["n_copies"], nearest.document["n_spectra"]["generated"]
unit = distance_unit(metric, training.meta.signal_label)

verdict.markdown(copies_sentence(n_copies, n_generated, kept))
columns = st.columns(4)
columns[0].metric(
    "Exact copies",
    f"{n_copies} of {n_generated}",
    help="Generated spectra equal to a training spectrum, value by value.",
)
if kept is not None:
    by_role = {row["role"]: row for _, row in kept.iterrows()}
    row = by_role["generated"]
    columns[1].metric(
        "Nearer to training",
        percent(row["share"]),
        help="Share of generated spectra closer to the training set than to the held-out set, both cut to "
        f"{row['n_held_out']} spectra. 50 % where nothing is memorised, 100 % for copies. "
        f"95 % interval {percent(row['lower'])} to {percent(row['upper'])}.",
    )
    if "held-out" in by_role:
        real = by_role["held-out"]
        columns[2].metric(
            "The same, held-out",
            percent(real["share"]),
            help="Real-versus-real floor: one half of the held-out spectra judged against the training set and the "
            f"other half. 95 % interval {percent(real['lower'])} to {percent(real['upper'])}.",
        )
else:
    columns[1].metric(
        "Nearer to training",
        "not known",
        help="Needs spectra that the generator has not seen: train it with a held-out share.",
    )
columns[3].metric(
    "Median distance ratio",
    significant(table["distance_ratio"].median()),
    help="Nearest over second nearest training spectrum (NNDR): near 0 for copies, near 1 between spectra.",
)

called = role_name(reference).lower()
row_column, distance_column = f"nearest_{reference}", f"distance_{reference}"
if window is not None:
    row_column, distance_column = f"{row_column}_similar", f"{distance_column}_similar"
pairs = table[table[row_column] >= 0].sort_values(distance_column, kind="stable").reset_index(drop=True)
if pairs.empty:
    st.info(
        "No generated spectrum has an experimental one with similar concentrations. Widen the window.",
        icon=":material/info:",
    )
    st.stop()
if len(pairs) < len(table):
    st.caption(f"{len(table) - len(pairs)} generated spectra have no {called} spectrum in the window: left out.")

st.subheader("Pair by pair, from the nearest to the farthest")
n_pairs, key = len(pairs), "neighbour_rank"
with st.container(horizontal=True, vertical_alignment="bottom"):
    for label, rank in {"Nearest": 1, "Median": (n_pairs + 1) // 2, "Farthest": n_pairs}.items():
        st.button(label, on_click=state.set_widget, args=(key, rank))
    rank = st.number_input(f"Pair, of {n_pairs}", 1, n_pairs, 1, key=key, width=180)
pair = pairs.iloc[int(rank) - 1]
both = {
    "generated": neighbour_panel.spectrum(found, "generated", int(pair["sample"])),
    reference: neighbour_panel.spectrum(found, reference, int(pair[row_column])),
}
st.caption(
    f"Generated spectrum {plain(pair['id'])} and {called} spectrum {plain(both[reference].samples['id'].iloc[0])}: "
    f"distance {pair[distance_column]:.3g} ({plain(unit)})."
)
difference = pair_difference(both, 0, reference, 0, noise=cache.table(noise_level, training))
figure = cache.drawn(
    figures.duel,
    difference,
    role="generated",
    reference=reference,
    axis_label=training.axis.label,
    signal_label=training.meta.signal_label,
    reverse=comparison.pick_direction(training),
)
show_figure(figure, key="duel")
if found.same_targets:
    labels = list(targets.labels(training.target_info).values())
    concentrations = pd.DataFrame(
        {"target": labels} | {role_name(role): one.target_values[0].astype(float) for role, one in both.items()}
    )
    st.dataframe(
        concentrations,
        hide_index=True,
        key="pair_concentrations",
        placeholder=tables.NONE,
        column_config=tables.columns(concentrations),
    )

st.subheader("How near are they altogether?")
show_figure(
    cache.drawn(
        figures.distance_distributions,
        {"generated": table} | ({"held-out": nearest.tables["floor"]} if "floor" in nearest.tables else {}),
        column="distance_training",
        label=f"Distance to the nearest training spectrum, {unit}",
    ),
    key="distance_distributions",
)
offer_tables({"neighbours": table, "pair": difference, "memorisation": kept})
report_export(nearest)
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Duel.** Above, a generated spectrum and its nearest experimental neighbour. Below, their difference divided by the
  noise of each channel. Inside the grey band two measurements of one solution would differ in 95 % of the channels
  (1.96 √2 noise units). A difference inside it everywhere means a copy but for noise; a smooth difference far outside
  means another mixture.
- **Nearer to training** than to the held-out set. Near 50 %: the generator treats spectra it has seen like those it
  has not. Near 100 %: it repeats its training set. The training set is cut to the size of the hold-out, on average
  over all possible cuts; the interval (Wilson 1927) allows for generated spectra that share a neighbour.
- **How near altogether.** Where the generated curve runs left of the held-out one, generated spectra lie nearer to
  training spectra than fresh experimental ones do: copies or over-smoothed averages. Far to the right: spectra the
  experiment never produced.
- **Among similar concentrations** only spectra count whose every target lies within the window. A spectrum near its
  neighbour overall but far from every one with similar concentrations carries a wrong label.
"""
    )
