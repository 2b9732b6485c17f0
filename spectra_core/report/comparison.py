"""The report of a comparison: generated beside experimental spectra, by every metric and by physics."""

from spectra_core.evaluation.physics.checks import CONFIDENCE, physics_summary
from spectra_core.evaluation.similarity.judgement import beside_the_band
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.sentences import fidelity_sentence
from spectra_core.figures.fidelity import metric_distances
from spectra_core.figures.physics import offending_shares
from spectra_core.figures.svg import svg
from spectra_core.report.card import generator_card
from spectra_core.report.page import Listing, Part, Picture, Report, Section, facts, table_of
from spectra_core.store import Store, StoredResult

_METRICS = (
    "Every metric's distance from its floor, which is what two halves of the experimental set give; grey: the range of "
    "the floor. Worse than real: all values lie on the wrong side of all floors. Beyond real is a warning, not praise: "
    "copies score better than fresh spectra."
)
_PHYSICS = (
    "Share of spectra that break a limit. Limits are such that 1 % of real spectra break each of them (dotted line); "
    "what breaks one much more often was not learned from the data."
)


def report_of_comparison(result: StoredResult, store: Store) -> Report:
    """Write the report of a judgement of generated spectra."""
    document, arguments = result.document, result.document["arguments"]
    table = beside_the_band(result.tables["judgement"])
    titles = {name: metric.title for name, metric in METRICS.items()}
    named = table.assign(
        title=[titles.get(name, name) for name in table["metric"]],
        says=[METRICS[name].sentence if name in METRICS else "" for name in table["metric"]],
        cannot=[METRICS[name].cannot_see if name in METRICS else "" for name in table["metric"]],
    )
    headings = {"title": "Metric", "value": "Value", "floor": "Real against real", "verdict": "Verdict"}
    headings |= {"says": "Says", "cannot": "Cannot see"}
    better = {name: metric.better for name, metric in METRICS.items()}
    figure = metric_distances(table, titles=titles, better=better)
    counts = [
        f"{n} of {document['n_spectra'][role]} {role}" for role, n in document["n_judged"].items() if n is not None
    ]
    known = {record.fingerprint: record for record in store.sets()}
    models = {record.id for record in store.models()}
    experimental, generated = (known.get(arguments[role]) for role in ("set", "generated"))
    data = {
        "Experimental set": experimental and experimental.name,
        "Its fingerprint": arguments["set"],
        "Its licence, as stated": (experimental and experimental.licence) or "not stated",
        "Generated set": generated and generated.name,
        "Its own fingerprint": arguments["generated"],
        "Spectra judged": ", ".join(counts),
        "Noise given back": "yes" if arguments.get("noise_given_back") else "no",
    }
    sections = [
        Section("Question", ("Could generated spectra be taken for experimental ones, and what gives them away?",)),
        Section("Answer", (fidelity_sentence(table, titles),)),
        Section("Data", (facts(data),)),
        Section("Metrics", (Picture(svg(figure), "Metrics beside their floors", _METRICS), table_of(named, headings))),
        Section("Physics", tuple(_physics(result))),
        Section("Limits", _LIMITS),
        Section("To repeat it", (_HOW, Listing(f"seed: {arguments['seed']}\nmodel: {arguments.get('model')}"))),
    ]
    if arguments.get("model") in models:
        card = generator_card(store, arguments["model"], result.tables["judgement"])
        sections[-1:-1] = [Section(f"Model card: {one.title.lower()}", one.parts) for one in card.sections()]
    made = f"Kept on {result.record.created[:16].replace('T', ' ')} UTC." if result.record.created else ""
    return Report(result.record.name, made, tuple(sections))


def _physics(result: StoredResult) -> list[Part]:
    limits = result.tables["physics_limits"]
    if limits.empty:
        return ["No physical limit applies to these spectra."]
    summary = physics_summary(result.tables["physics"], limits)
    return [Picture(svg(offending_shares(summary, confidence=CONFIDENCE)), "Physical limits", _PHYSICS)]


_LIMITS = (
    "Spectra that no metric tells from real ones need not be of use: whether they lower the error of a calibration is "
    "another question, which an experiment answers.",
    "Halvings of one set share spectra: their spread understates that of fresh experiments.",
)
_HOW = (
    "Take both sets in hand and choose Judge the generated set on the page Fidelity; the same seed gives the same "
    "halvings, and the same numbers to the last digit."
)
