import streamlit as st

from spectra_core.evaluation.labels.label_honesty import honesty_summary
from spectra_core.evaluation.physics import checks as physics
from spectra_core.evaluation.similarity.judgement import beside_the_band
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.sentences import fidelity_sentence
from spectra_core.figures import fidelity as figures
from spectra_core.figures import physics as physics_figures
from spectra_core.jobs import judging_time
from spectra_core.report.comparison import DEFECTS, TITLES
from ui import cache, comparison, judged, needed, state, tables, targets, time_said
from ui.exports import offer_tables, report_export
from ui.figures import show_figure
from ui.text import plain

st.write("Every number beside what two halves of the experimental set give: none should be worse, and none better.")
found = comparison.compared()
whole, training, generated = needed.require_experimental(), found.sets["training"], needed.require_generated()
st.caption(found.sentence)
verdict = st.empty()
given_back = st.toggle(
    "Give the noise back",
    key="judge_with_noise",
    persist_state="session",
    help="Judges the generated spectra with the noise added that they lack.",
)
arguments = {
    "set": state.chosen("set"),
    "generated": state.chosen("generated"),
    "model": found.model,
    "noise_given_back": given_back,
    "seed": 0,
}
result = judged.finished_or_offered(
    "fidelity",
    arguments,
    button="Judge the generated set",
    title=f"Judge {generated.meta.name}",
    takes=lambda: time_said.words_of_judging(
        judging_time.of_judgement(len(training), len(generated), whole.n_channels), whole
    ),
)
if result is not None:
    judgement = beside_the_band(result.tables["judgement"])
    if result.document["n_judged"] != result.document["n_spectra"]:
        judged_of = [
            f"{n} of {result.document['n_spectra'][role]} {role}" for role, n in result.document["n_judged"].items()
        ]
        st.caption(f"A random sample is judged: {', '.join(judged_of)} spectra.")
    verdict.markdown(fidelity_sentence(judgement, TITLES))
    show_figure(
        cache.drawn(
            figures.metric_distances,
            judgement,
            titles=TITLES,
            better={name: metric.better for name, metric in METRICS.items()},
        ),
        key="metric_distances",
    )
    report_export(result)
    judged.metric_cards(judgement, METRICS, plain(training.meta.unit))
    offer_tables({"judgement": judgement})

    st.subheader("Could they have been measured?")
    limits = result.tables["physics_limits"]
    checked = result.tables["physics"]
    summary = physics.physics_summary(checked, limits)
    show_figure(
        cache.drawn(physics_figures.offending_shares, summary, confidence=physics.CONFIDENCE), key="offending_shares"
    )
    applied = {name: physics.CHECKS[name].title.partition(",")[0] for name in limits["check"]}
    offenders = judged.offenders(checked, physics.physics_offences(checked, limits), applied, "generated")
    looked_at = judged.as_judged(found, generated, noise_given_back=given_back)
    judged.show_offenders(offenders, result.document["n_judged"]["generated"], *looked_at)
    offer_tables({"physics": checked, "physics_limits": limits, "offenders": offenders})

    if "label_honesty" in result.tables:
        st.subheader("Do they hold what their labels say?")
        honesty = result.tables["label_honesty"]
        judged.show_honesty(honesty, targets.labels(training.target_info))
        summed = honesty_summary(honesty)
        st.dataframe(
            tables.worded(summed),
            hide_index=True,
            key="honesty_summary",
            placeholder=tables.NONE,
            column_config=tables.columns(summed, bias="Bias, teacher"),
        )
        offer_tables({"label_honesty_summary": summed, "label_honesty": honesty})

st.subheader("Which metric sees which defect?")
st.write(
    "Eight generators that are known to be bad, made from your own spectra. A metric that stays silent here can say "
    "nothing about that defect above."
)
tried = judged.finished_or_offered(
    "bench",
    {"set": state.chosen("set"), "seed": 0},
    button="Try the metrics",
    title="Try all metrics on known-bad generators",
    takes=lambda: time_said.words_of_judging(judging_time.of_bench(len(whole), whole.n_channels), whole),
)
if tried is not None:
    bench = tried.tables["bench"]
    show_figure(
        cache.drawn(figures.bench_matrix, bench, metric_titles=TITLES, defect_titles=DEFECTS), key="bench_matrix"
    )
    st.caption(
        f"{bench['n_per_set'].iloc[0]} spectra per set, {bench['n_repeats'].iloc[0]} random divisions of the "
        "experimental set. Worse, beyond: all values lie on one side of all floors."
    )
    offer_tables({"metric_bench": bench})
    report_export(tried)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Floor.** The training set is halved at random, five times, replicates together. The first half is compared with as
  many generated spectra and with the second half: that is the floor. Grey band: the range of the floor. *As real*: the
  mean lies within it. *Not told apart*: it lies outside, but the ranges overlap, so nothing is shown either way. *Worse
  than real*: all values lie on the wrong side of all floors.
- **Beyond real** is a warning, not praise. Copies of the training set score better than fresh experimental spectra on
  coverage and on every distance.
- **Precision, recall, density, coverage** pass copies and spectra without noise. That is why copies and noise have
  numbers of their own, and why *Neighbours* looks at pairs.
- **Physics.** Limits are such that 1 % of real spectra break each of them (dotted line), read from the held-out
  spectra where there are at least 100, else from the training set. What breaks a limit much more often was not
  learned from the data.
- **Labels.** A teacher (PLS) and classical least squares, both fitted to the training set, read what the generated
  spectra hold. *Ratio* is their error over that on real spectra they did not see: about 1 for honest labels. A teacher
  cannot tell a wrong label from a spectrum it misreads: compare both readings.
- **Matrix.** One fifth of your spectra plays the training set, one fifth the unseen ones, the rest gives fresh spectra,
  which are then spoiled. *Nothing wrong* should stay empty.
"""
    )
    st.dataframe(
        [
            {"Metric": metric.title, "Says": metric.sentence, "Cannot see": metric.cannot_see}
            for metric in METRICS.values()
        ],
        hide_index=True,
        key="metric_list",
    )
    st.dataframe(
        [{"Generator": bad.title, "What is wrong": bad.sentence} for bad in KNOWN_BAD.values()],
        hide_index=True,
        key="defect_list",
    )
