import streamlit as st

from spectra_core.evaluation.channels.statistics import signal_histograms
from spectra_core.evaluation.examples import examples
from spectra_core.evaluation.labels.label_errors import FEWEST, label_errors
from spectra_core.evaluation.sampling import MOST_JUDGED, sampled_rows
from spectra_core.evaluation.suitability.design import (
    SATURATION,
    channel_check,
    repeats,
    target_dependence,
    target_rank,
)
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.evaluation.suitability.sentences import fitness_sentence
from spectra_core.figures import explore as figures
from spectra_core.figures.names import typeset
from spectra_core.figures.physics import suspicious_labels
from spectra_core.figures.spectra import density, single_spectra
from spectra_core.figures.theme import thousands
from spectra_core.spectra import without
from ui import cache, comparison, needed, set_shelf, tables, targets
from ui.exports import offer_tables
from ui.figures import show_figure
from ui.text import percent, plain, sentence

MOST_OFFERED = 5000
AS_LINES = 60  # so many spectra are drawn as lines: a density of them has gaps where they are steep

st.write("Before anything is trained: what the spectra cover, what the concentrations can tell, and what stands out.")
spectra = needed.require_experimental()
counted = cache.table(repeats, spectra).iloc[0]
dependence = cache.table(target_dependence, spectra)

verdict = st.empty()  # said when all below is known
with st.container(horizontal=True):
    st.page_link("pages/calibration/advice.py", label="What would help?", icon=":material/arrow_forward:")
    st.page_link("pages/use/calibrate.py", label="Calibrate", icon=":material/arrow_forward:")

columns = st.columns(4)
columns[0].metric("Spectra", thousands(len(spectra)), help=f"{spectra.n_channels} channels each.")
columns[1].metric(
    "Independent spectra",
    thousands(int(counted["n_groups"])),
    help="Replicates and exact duplicates counted once; a split keeps them together. "
    f"The largest group has {int(counted['largest_group'])} spectra.",
)
columns[2].metric("Exact duplicates", int(counted["n_duplicates"]), help="Spectra equal to an earlier one.")
columns[3].metric(
    "Independent targets",
    f"{target_rank(dependence)} of {spectra.n_targets}" if spectra.n_targets else "no targets",
    help="The others follow from them, so a calibration cannot tell their effects apart.",
)

st.subheader("What do the spectra cover?")
with st.container(horizontal=True, vertical_alignment="bottom"):
    saturation = None
    if spectra.meta.is_absorbance:
        saturation = st.number_input(
            "Saturated above",
            0.5,
            10.0,
            SATURATION,
            0.5,
            key="saturation",
            persist_state="session",
            width=160,
            help="At absorbance 3, one thousandth of the light passes: stray light and noise take over.",
        )
    reverse = comparison.pick_direction(spectra)
channels = cache.table(channel_check, spectra, saturation=SATURATION if saturation is None else saturation)
histograms = cache.shared(signal_histograms, {"training": spectra})
axes = {"axis_label": spectra.axis.label, "signal_label": spectra.meta.signal_label, "reverse": reverse}
if len(spectra) <= AS_LINES and not (channels["share_saturated"] > 0).any():  # which a density shades
    figure = cache.drawn(single_spectra, cache.table(examples, {"training": spectra}, n_spectra=AS_LINES), **axes)
else:
    figure = cache.drawn(density, histograms, saturation=saturation, **axes)
show_figure(figure, key="density")
idle = channels.loc[channels["constant"], "position"]
if len(idle):
    first = ", ".join(f"{position:g}" for position in idle.head(12)) + (" and more" if len(idle) > 12 else "")
    st.warning(
        f"{len(idle)} of {spectra.n_channels} channels hold one and the same value in every spectrum: {first} "
        f"{plain(typeset(spectra.axis.unit))}. They carry nothing and are left out of scaling.",
        icon=":material/info:",
    )
if saturation is not None and (channels["share_saturated"] > 0).any():
    n_hit = int((channels["share_saturated"] > 0).sum())
    worst = channels.iloc[int(channels["share_saturated"].argmax())]
    st.write(
        f"In {n_hit} of {spectra.n_channels} channels some spectra exceed {saturation:g}; most of all at "
        f"{worst['position']:g} {plain(typeset(spectra.axis.unit))}, in {percent(worst['share_saturated'])} of the "
        "spectra."
    )
offer_tables({"channel_check": channels, "density": histograms["training"].reset_index()})

if spectra.n_targets:
    st.subheader("What can the concentrations tell?")
    for relation in dependence.loc[dependence["relation"] != "", "relation"]:
        st.markdown("- " + sentence(typeset(relation).replace(" - ", " \N{MINUS SIGN} ")))
    labels = targets.labels(spectra.target_info)
    names = list(labels)
    if spectra.n_targets > 8:
        names = st.multiselect(
            "Targets shown",
            names,
            names[:8],
            max_selections=10,
            format_func=targets.names(spectra.target_info).__getitem__,
            key="design_targets",
            persist_state="session",
        )
    if len(names) == 1:
        drawn = cache.drawn(figures.single_target, {"training": spectra.targets}, name=names[0], label=labels[names[0]])
        show_figure(drawn, key="single_target")
    elif names:
        of_chosen = {name: labels[name] for name in names}
        show_figure(
            cache.drawn(figures.concentration_design, {"training": spectra.targets}, labels=of_chosen), key="design"
        )
    # Relations stand above the figure in full, and their residuals in the file.
    listed = dependence.drop(columns=["relation", "residual"], errors="ignore")
    listed = listed.replace({"target": targets.names(spectra.target_info)})
    st.dataframe(listed, hide_index=True, key="targets", placeholder=tables.NONE, column_config=tables.columns(listed))
    offer_tables({"targets": dependence, "concentrations": spectra.targets})

checked_rows = sampled_rows(len(spectra), "checked", MOST_JUDGED)
checked_part = comparison.part(spectra, checked_rows)
names = tables.names_of(list(spectra.samples["id"]))
standing_out: list[str] = []
part = "" if checked_part is spectra else f"Looked at: a random part of {len(checked_part)} of {len(spectra)} spectra. "

st.subheader("Does a spectrum stand out?")
n_apart, by_chance = 0, 0.0
if len(spectra) < 4 or spectra.constant_channels.all():
    st.caption("At least four spectra that differ are needed to say so.")
else:
    confidence = st.select_slider(
        "Confidence of the limits", [0.95, 0.99, 0.999], 0.99, key="outlier_confidence", persist_state="session"
    )
    table, limits = cache.table(outliers, checked_part, confidence=float(confidence))
    table = table.assign(sample=checked_rows[table["sample"]], id=[names[row] for row in checked_rows[table["sample"]]])
    n_apart, by_chance = int(table["set_apart"].sum()), 2 * (1 - limits.confidence) * len(table)
    st.write(
        f"{part}A PCA with {limits.n_components} component{'s' if limits.n_components > 1 else ''} holds "
        f"{percent(limits.explained, 1)} of the variance. "
        f"{n_apart} of {len(table)} spectra {'exceeds' if n_apart == 1 else 'exceed'} a limit; "
        f"about {percent(2 * (1 - limits.confidence), 1)} would by chance if scores were normal."
    )
    show_figure(cache.drawn(figures.outlier_scatter, table, confidence=limits.confidence), key="outliers")
    apart = table[table["set_apart"]].sort_values("q_ratio", ascending=False)
    if not apart.empty:
        apart = apart.drop(columns=["set_apart", "sample"]).head(100)
        standing_out += list(apart["id"])
        st.dataframe(
            apart, hide_index=True, key="set_apart", placeholder=tables.NONE, column_config=tables.columns(apart)
        )
    offer_tables({"outliers": table.drop(columns="sample")})

n_suspicious, unreadable = 0, tuple[str, ...]()
if spectra.n_targets:
    st.subheader("Does a label not fit its spectrum?")
    checkable = [str(name) for name, values in spectra.targets.items() if values.nunique() > 1]
    if not checkable or int(counted["n_groups"]) < FEWEST:
        st.caption(f"At least {FEWEST} independent spectra and a target that varies are needed to say so.")
    else:
        labels_checked, check = cache.table(label_errors, checked_part)
        n_suspicious, unreadable = check.n_suspicious, check.unreadable
        rows_checked = checked_rows[labels_checked["sample"]]
        labels_checked = labels_checked.assign(id=[names[row] for row in rows_checked]).drop(columns="sample")
        st.write(
            f"{part}Each label beside what the other spectra say: {check.n_suspicious} of {len(checked_part)} spectra "
            f"{'carries' if check.n_suspicious == 1 else 'carry'} a label more than {check.cutoff:.1f} robust standard "
            "deviations off."
        )
        if check.unreadable:
            unread = sentence(typeset(", ".join(check.unreadable)))
            st.write(f"Not judged, since the spectra do not tell them well enough: {unread}.")
        named = {name: label for name, label in targets.labels(spectra.target_info).items() if name in checkable}
        readable = labels_checked[~labels_checked["target"].isin(check.unreadable)]
        named_most = readable.groupby("target", sort=False)["suspicious"].sum()
        named_first = checkable[0] if named_most.empty else str(named_most.idxmax())
        checked = st.selectbox(
            "Target",
            list(named),
            list(named).index(named_first),
            format_func=targets.names(spectra.target_info).__getitem__,
            key="checked_target",
            persist_state="session",
        )
        readable_target = checked not in check.unreadable
        figure = cache.drawn(
            suspicious_labels, labels_checked, target=checked, label=named[checked], readable=readable_target
        )
        show_figure(figure, key="suspicious_labels")
        wrong = labels_checked[labels_checked["suspicious"]].sort_values("spreads", key=abs, ascending=False)
        if not wrong.empty:
            wrong = wrong.drop(columns="suspicious").head(200)
            standing_out += list(wrong["id"])
            called = wrong.replace({"target": targets.labels(spectra.target_info)})
            st.dataframe(
                called,
                hide_index=True,
                key="wrong_labels",
                placeholder=tables.NONE,
                column_config=tables.columns(wrong),
            )
        offer_tables({"label_errors": labels_checked})

verdict.markdown(
    fitness_sentence(
        n_spectra=len(checked_part),
        n_independent=int(counted["n_groups"]),
        n_targets=spectra.n_targets,
        n_determined=target_rank(dependence) if spectra.n_targets else 0,
        saturated=saturation is not None and bool((channels["share_saturated"] > 0).any()),
        n_apart=n_apart,
        by_chance=by_chance,
        n_suspicious=n_suspicious,
        unreadable=[plain(typeset(name)) for name in unreadable],
    )
)

st.subheader("Should spectra be left out?")
offered = dict.fromkeys([*standing_out, *(names if len(names) <= MOST_OFFERED else [])])
chosen = st.multiselect(
    "Spectra to leave out",
    list(offered),
    key=f"left_out_{spectra.fingerprint[:12]}",
    accept_new_options=True,
    help="By id; those that stand out come first. The set in hand stays as it is.",
    persist_state="session",
)
if chosen:
    number_of = {name: row for row, name in enumerate(names)}
    unknown = [name for name in chosen if name not in number_of]
    if unknown:
        st.error(plain(f"No spectrum is called {', '.join(unknown)}. Choose ids of this set."), icon=":material/error:")
    elif st.button(f"Keep the other {thousands(len(spectra) - len(chosen))} as a new set", key="leave_out"):
        rest = without(spectra, [number_of[name] for name in chosen])
        set_shelf.keep_and_use(rest)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Density.** The darker, the more spectra; opacity grows with the logarithm of their number. In the shaded region the
  detector sees too little light for absorbance to follow concentration.
- **Concentrations.** Points should fill each panel. Points on a line mean that two targets rise together: a
  calibration for one may in truth read the other. Relations that hold throughout are spelled out above the figure, a
  charge balance for example.
- **Standing out.** T² says how extreme a spectrum is within the plane of the PCA, Q how much of it the PCA does not
  describe. Upwards: something the other spectra do not have, such as a scratch, a bubble or another substance. To the
  right: an extreme mixture. Limits assume normal scores (Tracy, Young and Mason 1992; Jackson and Mudholkar 1979), so
  look at a spectrum before excluding it.
- **Labels.** A robust fit reads every label from the other spectra; wrong labels are set aside before they can bend
  it. A point off the line is not suspicious where the spectra nearest to it are as far off: there the fit errs.
  A diamond far from the line is a slip of the pen, a swapped vial, or a sample unlike all others. Where two rows
  were swapped, *Fits the label of* names the other. Nothing is changed: look at the notes of the experiment first.
  In sets with labels exchanged on purpose nearly every exchange that changes a label plainly was found; where
  absorbance saturates or most solutions lack most ions, up to one right spectrum in ten was named too, and the
  partner was right in little more than half of the cases. Targets that the spectra do not tell are not judged.
"""
    )
