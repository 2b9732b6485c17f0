import streamlit as st

from spectra_core.conditions.charge import charge_obstacle
from spectra_core.evaluation.channels.sentences import reach_sentence
from spectra_core.evaluation.latent.strategies import strategy_points
from spectra_core.figures import strategies as figures
from spectra_core.figures.theme import thousands
from ui import cache, models, needed, sampling, state, targets
from ui.exports import offer_tables
from ui.figures import show_figure
from ui.text import sentence

spectra = needed.require_experimental()
found = needed.require_model()
st.write(
    "New spectra are decoded from points that you choose how to draw. "
    "See where the points fall among your data before you keep what comes of them."
    if models.has_latent_space(found)
    else "See which spectra and concentrations come about, and whether they are like your data, before you keep them."
)
needed.say_if_few(spectra)
train = models.training_part(found, spectra)
labels = targets.labels(train.target_info)

controls, picture = st.columns([2, 3], gap="large")
with controls:
    saving = st.container()
    plan = sampling.pick_plan(found.model, train)
    if plan is None:
        st.stop()
with saving:
    name = st.text_input("Name of the set", sampling.default_name(found.model, plan), key=f"name_{plan.key}")
    wanted = st.button("Generate and save", type="primary", icon=":material/scatter_plot:")

sampled = sampling.sampled(found, train, plan)
tables = cache.table(sampling.tables_of, found, train, plan)
with controls:
    st.caption(sampling.labels_sentence(sampled, train, plan))
if wanted:
    made = sampling.to_keep(sampled, train, plan)
    kept = state.keep_set(made.with_meta(name=name.strip() or "Generated set"))
    state.notify(
        f"{thousands(len(sampled.spectra))} spectra are in the store and in hand. Compare them with your data."
    )
    state.choose_generated(kept)

with picture:
    if "latent_points" in tables:
        show_figure(cache.drawn(figures.drawn_points, tables["latent_points"]), key="latent_points")
    show_figure(
        cache.drawn(
            figures.drawn_spectra,
            tables["channel_statistics"],
            tables["example_spectra"],
            axis_label=train.axis.label,
            signal_label=train.meta.signal_label,
        ),
        key="drawn_spectra",
    )
    st.caption(reach_sentence(tables["signal_reach"]))

if "concentration_points" in tables:
    asked = sampled.points is not None and sampled.points.conditions is not None
    st.subheader(
        "Which concentrations are asked for?" if asked else "Which concentrations are the spectra labelled with?"
    )
    show_figure(
        cache.drawn(figures.concentration_marginals, tables["concentration_marginals"], labels), key="marginals"
    )
    if len(labels) > 1:
        shown = st.multiselect(
            "Pairs of",
            list(labels),
            default=list(labels)[: figures.MAX_PAIR_TARGETS],
            max_selections=figures.MAX_PAIR_TARGETS,
            format_func=labels.__getitem__,
        )
        if len(shown) > 1:
            chosen = {target: labels[target] for target in shown}
            show_figure(cache.drawn(figures.concentration_pairs, tables["concentration_points"], chosen), key="pairs")
    st.subheader("Could these solutions exist, and are they like yours?")
    balance, distance = st.columns(2, gap="large")
    with balance:
        if "charge_residuals" in tables:
            show_figure(cache.drawn(figures.charge_balance, tables["charge_residuals"]), key="charge")
        else:
            st.caption(sentence(charge_obstacle(train.target_info)))
    with distance:
        hull = tables["hull_distances"]
        show_figure(cache.drawn(figures.distance_to_data, hull), key="hull")
        st.caption(sampling.hull_sentence(hull))

if "latent_points" in tables and st.toggle("Compare all strategies", key="compare_strategies"):
    everywhere = cache.table(strategy_points, models.encoded(found, train))
    panels = cache.drawn(figures.strategy_panels, everywhere)
    show_figure(panels, key="strategy_panels")
    tables = {**tables, "strategy_points": everywhere}
    for what, overview in cache.table(sampling.strategies_compared, found, train).items():
        st.subheader(what)
        st.dataframe(overview, hide_index=True, column_config=sampling.OVERVIEW_COLUMNS)
        tables = {**tables, f"all_{what.lower().replace(' ', '_')}": overview}

sampling.show_carried_labels()
offer_tables(tables)
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(sampling.HOW_TO_READ)
