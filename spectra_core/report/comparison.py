"""Reports of comparisons: metrics, neighbours and maps of generated spectra, and the bench of the metrics."""

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

import pandas as pd

from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.latent.sentences import ground_sentence
from spectra_core.evaluation.physics.checks import CONFIDENCE, physics_summary
from spectra_core.evaluation.sampling import sampled_rows
from spectra_core.evaluation.similarity.bench import NOTHING_WRONG
from spectra_core.evaluation.similarity.distances import DISTANCES, distance_unit
from spectra_core.evaluation.similarity.judgement import beside_the_band
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.neighbours import pair_difference
from spectra_core.evaluation.similarity.sentences import copies_sentence, fidelity_sentence
from spectra_core.figures.fidelity import bench_matrix, metric_distances
from spectra_core.figures.latent_map import METHODS, map_axes, map_scatter
from spectra_core.figures.neighbours import distance_distributions, duel
from spectra_core.figures.physics import offending_shares
from spectra_core.figures.svg import svg
from spectra_core.report.card import bench_sentence, generator_card, training_part
from spectra_core.report.page import Listing, Part, Picture, Report, Section, facts, table_of
from spectra_core.shares import rounded
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store, StoredResult

TITLES = {name: metric.title for name, metric in METRICS.items()}
DEFECTS = {NOTHING_WRONG: "Nothing wrong", **{name: bad.title for name, bad in KNOWN_BAD.items()}}
"""What metrics are tried on."""
_MOST_MARKERS = 1500
"""Of a role on a map."""
_NEAREST = 10
"""Pairs that are listed."""
_METRICS = (
    "Every metric's distance from its floor, which is what two halves of the experimental set give; grey: the range of "
    "the floor. Worse than real: all values lie on the wrong side of all floors. Beyond real is a warning, not praise: "
    "copies score better than fresh spectra."
)
_PHYSICS = (
    "Share of spectra that break a limit. Limits are such that 1 % of real spectra break each of them (dotted line); "
    "what breaks one much more often was not learned from the data."
)
_DISTANCES = (
    "Where the generated curve runs left of the held-out one, generated spectra lie nearer to training spectra than "
    "fresh experimental ones do: copies or over-smoothed averages. Far to the right: spectra the experiment never gave."
)
_DUEL = (
    "Above, both spectra; below, their difference in units of the noise of each channel. Inside the grey band two "
    "measurements of one solution would differ in 95 % of the channels: a copy but for noise."
)
_MAP = (
    "One marker a spectrum, at most {most} of a role. Generated markers should cover the held-out ones: gaps are "
    "mixtures that the generator leaves out, islands are spectra that no experiment gave."
)
_BENCH = (
    "A cell says whether a metric sees what is wrong. Under “Nothing wrong”, fresh spectra of the same set: what is "
    "marked there is a false alarm."
)


def report_of_fidelity(result: StoredResult, store: Store) -> Report:
    """Write the report of a judgement of generated spectra."""
    table = beside_the_band(result.tables["judgement"])
    named = table.assign(
        title=[TITLES.get(name, name) for name in table["metric"]],
        says=[METRICS[name].sentence if name in METRICS else "" for name in table["metric"]],
        cannot=[METRICS[name].cannot_see if name in METRICS else "" for name in table["metric"]],
    )
    headings = {"title": "Metric", "value": "Value", "floor": "Real against real", "verdict": "Verdict"}
    headings |= {"says": "Says", "cannot": "Cannot see"}
    better = {name: metric.better for name, metric in METRICS.items()}
    figure = metric_distances(table, titles=TITLES, better=better)
    return report_of_comparison(
        result,
        store,
        question="Could generated spectra be taken for experimental ones, and what gives them away?",
        answer=[fidelity_sentence(table, TITLES)],
        own={
            "Metrics": [Picture(svg(figure), "Metrics beside their floors", _METRICS), table_of(named, headings)],
            "Physics": _physics(result),
        },
        limits=[
            "Spectra that no metric tells from real ones need not be of use: whether they lower the error of a "
            "calibration is another question, which an experiment answers.",
            "Halvings of one set share spectra: their spread understates that of fresh experiments.",
        ],
        on_the_page="choose Judge the generated set on the page Fidelity",
    )


def report_of_neighbours(result: StoredResult, store: Store) -> Report:
    """Write the report of the nearest experimental spectra of generated ones."""
    document, tables = result.document, result.tables
    found, kept = tables["neighbours"], tables.get("memorisation")
    metric = str(document["arguments"]["metric"])
    sets = _as_compared(result, store)
    signal = sets["training"].meta.signal_label if "training" in sets else "unit of the signal"
    label = f"Distance to the nearest training spectrum, {distance_unit(metric, signal)}"
    roles = {"generated": found} | ({"held-out": tables["floor"]} if "floor" in tables else {})
    figure = distance_distributions(roles, column="distance_training", label=label)
    nearest = found.sort_values("distance_training", kind="stable")
    headings = {"id": "Generated spectrum", "distance_training": "Distance", "distance_ratio": "Nearest / second"}
    listed: list[Part] = [table_of(nearest.head(_NEAREST), headings)]
    if len(sets) == 2:
        listed += [_pair(sets, nearest.iloc[at], title) for title, at in (("nearest", 0), ("median", len(found) // 2))]
    held: list[Part] = []
    if kept is not None:
        names = {"role": "Spectra", "share": "Share nearer to training", "lower": "From", "upper": "To (95 %)"}
        held = ["Share of spectra nearer to the training set than to the held-out one: one half without memory."]
        held.append(table_of(kept, names))
    return report_of_comparison(
        result,
        store,
        question="Are generated spectra copies of experimental ones, and how near to them do they lie?",
        answer=[copies_sentence(document["n_copies"], document["n_spectra"]["generated"], kept)],
        own={
            "How near altogether": [Picture(svg(figure), "Distances", _DISTANCES), *held],
            "The nearest pairs": listed,
        },
        limits=[f"Distance, {metric.replace('_', ' ')}: {DISTANCES[metric]} What it does not weigh, it does not see."],
        on_the_page="open the page Neighbours",
    )


def report_of_map(result: StoredResult, store: Store) -> Report:
    """Write the report of a map of spectra."""
    document, table = result.document, result.tables["map"]
    arguments = document["arguments"]
    method, latent = METHODS[arguments["method"]], arguments["model"] is not None
    x_label, y_label = map_axes(table, arguments["method"], latent=latent)
    parts = [rows.iloc[sampled_rows(len(rows), str(role), _MOST_MARKERS)] for role, rows in table.groupby("role")]
    figure = map_scatter(pd.concat(parts), x_label=x_label, y_label=y_label)
    trust = float(document["trustworthiness"])
    about = {
        "Map": method,
        "Of": "the latent space of the generator" if latent else "the channels",
        "Trustworthiness (1: neighbours stay neighbours; 0.5: a random map)": None
        if isnan(trust)
        else rounded(trust, 2),
    }
    limits = ["Two directions show a part of what varies: spectra that lie together here may differ elsewhere."]
    if method != "PCA":
        limits = ["Which spectra are neighbours can be read off; distances between groups, sizes and density cannot."]
    return report_of_comparison(
        result,
        store,
        question="Do generated spectra cover the same ground as experimental ones?",
        answer=[
            ground_sentence(table)
            if "generated" in set(table["role"])
            else "There are no generated spectra on this map."
        ],
        own={"Map": [facts(about), Picture(svg(figure), "The map", _MAP.format(most=_MOST_MARKERS))]},
        limits=limits,
        on_the_page=f"choose {method} on the page Latent map",
    )


def report_of_bench(result: StoredResult, store: Store) -> Report:
    """Write the report of the metrics tried on known-bad generators."""
    bench = result.tables["bench"]
    figure = bench_matrix(bench, metric_titles=TITLES, defect_titles=DEFECTS)
    wrong = bench[bench["defect"] != NOTHING_WRONG]
    seen = wrong[wrong["seen"].astype(bool)].groupby("metric")["defect"].nunique()
    table = pd.DataFrame({"metric": [name for name in TITLES if name in set(bench["metric"])]})
    table["title"] = table["metric"].map(TITLES)
    table["seen"] = [f"{int(seen.get(name, 0))} of {wrong['defect'].nunique()}" for name in table["metric"]]
    table["cannot"] = [METRICS[name].cannot_see for name in table["metric"]]
    headings = {"title": "Metric", "seen": "Defects that it sees", "cannot": "Cannot see"}
    n_spectra, n_divisions = bench["n_per_set"].iloc[0], bench["n_repeats"].iloc[0]
    return report_of_comparison(
        result,
        store,
        question="Which metric sees which defect of generated spectra, on these experimental ones?",
        answer=[bench_sentence(bench)],
        own={
            "Metrics": [
                f"{n_spectra} spectra per set, {n_divisions} random divisions of the experimental set.",
                Picture(svg(figure), "What the metrics see", _BENCH),
                table_of(table, headings),
            ]
        },
        limits=[
            "Defects here are of known kinds and sizes; a real generator may be wrong in ways that nobody thought of."
        ],
        on_the_page="choose Try the metrics on the page Fidelity",
    )


def again(task: str, arguments: Mapping[str, Any]) -> Listing:
    """Return the lines of Python that do a task again on kept sets; they give the same numbers to the last digit."""
    return Listing(
        "from spectra_core.contracts import SILENT\n"
        "from spectra_core.jobs.tasks import TASKS\n"
        "from spectra_core.store import Store\n\n"
        f"TASKS[{task!r}]({dict(arguments)!r}, SILENT, Store())"
    )


def report_of_comparison(
    result: StoredResult,
    store: Store,
    *,
    question: str,
    answer: Iterable[str],
    own: Mapping[str, list[Part]],
    limits: Iterable[str],
    on_the_page: str,
    in_python: bool = True,
) -> Report:
    """Lay out what all comparisons tell, around what is their own.

    Parameters
    ----------
    in_python
        Whether a task does the same again.
    """
    arguments = result.document["arguments"]
    generator = arguments.get("model")
    cards: list[Section] = []
    if generator in {record.id for record in store.models()}:
        card = generator_card(store, generator, result.tables.get("judgement"))
        cards = [Section(f"Model card: {one.title.lower()}", one.parts) for one in card.sections()]
    repeat: list[Part] = [f"Take the same sets in hand and {on_the_page}."]
    same_part = generator is not None or "held-out" not in result.document.get("n_spectra", {})
    if same_part and in_python:
        repeat += ["Or, where they are kept, in Python:", again(result.record.kind, arguments)]
    sections = (
        Section("Question", (question,)),
        Section("Answer", tuple(answer)),
        Section("Data", (facts(_data(result, store)),)),
        *(Section(title, tuple(parts)) for title, parts in own.items()),
        Section("Limits", tuple(limits)),
        *cards,
        Section("Versions", (facts(result.document.get("versions") or {"latent-spectra": None}),)),
        Section("To repeat it", tuple(repeat)),
    )
    made = f"Kept on {result.record.created[:16].replace('T', ' ')} UTC." if result.record.created else ""
    return Report(result.record.name, made, sections)


def _data(result: StoredResult, store: Store) -> dict[str, Any]:
    document, arguments = result.document, result.document["arguments"]
    known = {record.fingerprint: record for record in store.sets()}
    told: dict[str, Any] = {}
    for name, title in (("set", "Experimental set"), ("generated", "Generated set")):
        if arguments.get(name):
            record = known.get(arguments[name])
            told |= {title: record and record.name, f"{title}, fingerprint": arguments[name]}
            told[f"{title}, licence as stated"] = (record and record.licence) or "not stated"
    looked_at = document.get("n_judged") or document.get("n_asked") or document.get("n_shown") or {}
    counts = [f"{n} of {document['n_spectra'][role]} {role}" for role, n in looked_at.items()]
    told |= {"Spectra looked at": ", ".join(counts)} if counts else {}
    if "noise_given_back" in arguments:
        told["Noise given back"] = "yes" if arguments["noise_given_back"] else "no"
    return told


def _physics(result: StoredResult) -> list[Part]:
    limits = result.tables["physics_limits"]
    if limits.empty:
        return ["No physical limit applies to these spectra."]
    summary = physics_summary(result.tables["physics"], limits)
    return [Picture(svg(offending_shares(summary, confidence=CONFIDENCE)), "Physical limits", _PHYSICS)]


def _as_compared(result: StoredResult, store: Store) -> dict[str, SpectraSet]:
    """Return training and generated spectra as they were compared, as far as they are still kept."""
    arguments = result.document["arguments"]
    kept, models = {record.fingerprint for record in store.sets()}, {record.id: record for record in store.models()}
    found = {role: arguments[name] for role, name in (("training", "set"), ("generated", "generated"))}
    sets = {role: store.load_set(key) for role, key in found.items() if key in kept}
    model = arguments["model"]
    if model is not None and (model not in models or models[model].trained_on != arguments["set"]):
        sets.pop("training", None)
    elif model is not None and "training" in sets:
        sets["training"] = training_part(store.load_model(model), store)
    return sets


def _pair(sets: Mapping[str, SpectraSet], row: "pd.Series[Any]", title: str) -> Picture:
    training = sets["training"]
    neighbour = training.take([int(row["nearest_training"])])
    both = {"generated": sets["generated"].take([int(row["sample"])]), "training": neighbour}
    figure = duel(
        pair_difference(both, 0, "training", 0, noise=noise_level(training)),
        role="generated",
        reference="training",
        axis_label=training.axis.label,
        signal_label=training.meta.signal_label,
    )
    names = f"{row['id']} and {neighbour.samples['id'].iloc[0]}"
    return Picture(svg(figure), f"The {title} pair: {names}", f"Distance {row['distance_training']:.3g}. {_DUEL}")
