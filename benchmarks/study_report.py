"""From the finished parts of the study to figures and Markdown tables: no number in docs/study.md is typed by hand."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.study_arms import ASKED, BALANCED, INDEPENDENT, OWN, READ, TOGETHER
from benchmarks.study_cells import change, error, markdown, number
from benchmarks.study_crossed import REGRESSORS, against_the_prior, shares, ways_and_strategies
from benchmarks.study_figures import draw
from benchmarks.study_fresh import marks
from benchmarks.study_results import Finished
from spectra_core.evaluation.errors.gains import augmentation_efficiency, equivalent_samples
from spectra_core.evaluation.errors.regression_errors import with_training_size
from spectra_core.evaluation.errors.sentences import verdict_sentence
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, compare_arms
from spectra_core.figures.names import typeset
from spectra_core.generators import GENERATORS

TOLD = ("VAE, standard normal", INDEPENDENT, BALANCED, READ)
"""Arms whose verdicts are told in sentences."""
HARMS = {
    ("independent", "prior", "1"): INDEPENDENT,
    ("charge-balanced", "prior", "1"): BALANCED,
    ("charge-balanced", "prior", "0.01"): f"{BALANCED}: sharper decoder",
    ("charge-balanced", "of similar spectra", "1"): f"{BALANCED}: z fits the concentrations",
    ("charge-balanced", "of similar spectra", "0.01"): TOGETHER,
    ("a training spectrum's own", "its own", "0.01"): OWN,
}
_JOINED = ("errors", "comparisons")
"""Of every size on its own: each was judged about its declared question."""
_FOLD_ERRORS = ["arm", "regressor", "target", "repeat", "fold", "n_train", "n_test", "rmsep"]
"""What `judge` takes."""
_MARK = re.compile(r"<!-- (?P<name>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def by_size(parts: Mapping[str, Finished]) -> Finished | None:
    """Join part b and the same arms of part a, whose training folds are whole, into one learning curve."""
    small = [part for name, part in parts.items() if name.startswith("b-")]
    if not small:
        return None
    arms = [name for name in small[0].arms if all(name in one.arms for one in small)]
    sources = [*small, *([parts["a"]] if "a" in parts else [])]
    arms = [name for name in arms if name in sources[-1].arms]
    joined = {what: pd.concat([one.tables[what] for one in sources], ignore_index=True) for what in _JOINED}
    tables = {what: table[table["arm"].isin(arms)].reset_index(drop=True) for what, table in joined.items()}
    tables["equivalents"] = equivalent_samples(tables["errors"], "Step-matched")
    tables["spreads"] = small[0].tables["spreads"]
    return Finished("b", small[0].experiment, small[0].document, tables)


def report(results: Path, docs: Path) -> None:
    """Write the figures, all tables, and those that docs/study.md marks a place for."""
    folders = sorted(filter(_is_finished, results.iterdir()), key=_in_order)
    parts = {folder.name: Finished.read(folder) for folder in folders}
    for name, part in parts.items():
        part.tables["errors"][_FOLD_ERRORS].to_csv(docs / "study" / f"{name}.csv", index=False, float_format="%.5g")
        declared = json.dumps(part.experiment.question.to_json())
        (docs / "study" / f"{name}.json").write_text(f"{declared}\n")
    curve = by_size(parts)
    if curve is not None:
        parts["b"] = curve
    blocks = {"cost": partial(cost, results), "declared means": partial(declared_means, parts)}
    for name, part in parts.items():
        blocks |= {f"{name} {what}": partial(make, part) for what, make in MAKERS.items()}
    draw(parts, docs / "images")
    for page in (docs / "study.md", docs / "methods.md", docs.parent / "README.md"):
        page.write_text(_filled(page.read_text(), {**blocks, "worth": worth}))
    tables = docs / "study-tables.md"
    tables.write_text(_all_tables(parts, tables.read_text()))


def declared_means(parts: Mapping[str, Finished]) -> str:
    """Return the answer to the declared question, part by part: the mean over the targets that matter.

    A crossed experiment has the declared arms of its part, and so the same answer; part d asks another question.
    """
    rows = []
    for name, part in parts.items():
        table = part.tables["comparisons"]
        if name != "b" and not name.startswith("d-") and not name.endswith("-crossed") and "declared" in table:
            told = table[(table["target"] == ALL_TARGETS) & table["declared"]].set_index("arm")
            cells = [change(told.loc[arm]) if arm in told.index else "" for arm in ASKED]
            rows += [[name, *cells]] if any(cells) else []
    return markdown(["part", *ASKED], rows)


def worth() -> str:
    """Return for whom every generator is worth its cost, in its own words."""
    return markdown(["generator", "for whom"], [[member.title, member.worth] for member in GENERATORS.values()])


def cost(results: Path) -> str:
    """Return what every part took, added up over interrupted and resumed runs."""
    runs = pd.DataFrame(json.loads(line) for line in (results / "runs.jsonl").read_text().splitlines())
    rows = runs.groupby("study", sort=False).agg(
        arms=("arms", "max"),
        folds=("folds", "max"),
        seconds=("seconds", "sum"),
        processor=("processor_seconds", "sum"),
        peak=("peak_GiB", "max"),
        workers=("workers", "max"),
        load=("load", "median"),
        commit=("commit", lambda named: ", ".join(dict.fromkeys(map(str, named)))),
    )
    return markdown(
        ["experiment", "arms", "folds", "wall, min", "processor, min", "peak memory, GiB", "workers", "load", "commit"],
        [
            [
                *(row.Index, row.arms, row.folds, f"{row.seconds / 60:.1f}", f"{row.processor / 60:.1f}"),
                *(row.peak, row.workers, f"{row.load:.1f}", row.commit),
            ]
            for row in rows.itertuples()
        ],
    )


def errors_table(part: Finished) -> str:
    """Return RMSEP, mean ± standard deviation over folds, with what guessing and physics give."""
    table = with_training_size(part.tables["errors"])
    grouped = table.groupby(["regressor", "size", "arm", "target"])["rmsep"].agg(["mean", "std"])
    sizes = sorted(table["size"].unique())
    rows = []
    for regressor, title in REGRESSORS.items():
        for size in sizes:
            for arm in [name for name in part.arms if (regressor, size, name) in grouped.index.droplevel(3)]:
                cells = [error(grouped.loc[(regressor, size, arm, target)]) for target in part.targets]
                rows.append([title, *([size] if len(sizes) > 1 else []), arm, *cells])
    for name, values in part.levels.items():
        rows.append(["", *([""] if len(sizes) > 1 else []), name, *(number(values[t]) for t in part.targets)])
    return markdown(["", *(["spectra"] if len(sizes) > 1 else []), "arm", *map(part.label, part.targets)], rows)


def changes(regressor: str, part: Finished) -> str:
    """Return the change of error against the reference, with interval and verdict."""
    table = part.tables["comparisons"]
    return _changes(part, table[table["regressor"] == regressor])


def _changes(part: Finished, table: pd.DataFrame) -> str:
    sizes = sorted(table["n_train"].unique())
    several = len(sizes) > 1
    rows = []
    for arm in dict.fromkeys(table["arm"]):
        for size in sizes:
            here = table[(table["arm"] == arm) & (table["n_train"] == size)].set_index("target")
            if len(here):
                rows.append([arm, *([size] if several else []), *(change(here.loc[t]) for t in part.targets)])
    return markdown(["arm", *(["spectra"] if several else []), *part.targets], rows)


def verdicts(part: Finished) -> str:
    """Return how often each verdict was given, per arm and regressor."""
    table = part.tables["comparisons"]
    words = ["improved", "same", "cannot tell", "worse", "looked at afterwards"]
    counts = table.groupby(["regressor", "arm"], sort=False)["verdict"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=words, fill_value=0)
    return markdown(
        ["", "arm", *words],
        [[REGRESSORS[regressor], arm, *row] for (regressor, arm), row in counts.iterrows()],
    )


def sentences(part: Finished) -> str:
    """Return the verdicts of the arms that the study asked about, as sentences."""
    table = part.tables["comparisons"]
    table = table[table["arm"].isin(TOLD) & (table["regressor"] == "mlp")]
    return "\n".join(f"- {verdict_sentence(row)}" for _, row in table.iterrows())


def reasons(part: Finished) -> str:
    """Return what each single change beside an observed arm does to its errors, by the MLP."""
    table = part.tables.get("reasons", pd.DataFrame(columns=["regressor"]))
    table = table[table["regressor"] == "mlp"]
    rows = [
        [observed, changed, rows["reference"].iloc[0], *(change(rows.set_index("target").loc[t]) for t in part.targets)]
        for (observed, changed), rows in table.groupby(["observed_arm", "change"], sort=False)
    ]
    return markdown(["observed arm", "change", "against", *part.targets], rows)


def oracle(part: Finished) -> str:
    """Return which share of the oracle's gain each arm reaches, where there is a gain beyond its spread."""
    table = part.tables.get("comparisons", pd.DataFrame())
    if "Oracle" not in set(table.get("arm", [])):
        return "No oracle: these spectra are not simulated."
    gains = augmentation_efficiency(table, "Oracle")
    gains["what"] = gains["regressor"].map(REGRESSORS) + " " + gains["target"]
    wide = gains.pivot_table(index="arm", columns="what", values="efficiency", sort=False)
    titles = dict.fromkeys(gains["regressor"].map(REGRESSORS))
    whats = [f"{title} {target}" for title in titles for target in part.targets]
    defined = [what for what in whats if what in wide.columns]
    rows = [[arm, *(f"{value:.2f}" for value in wide.loc[arm, defined])] for arm in gains["arm"].unique()]
    rest = [what for what in whats if what not in defined]
    named = typeset(", ".join(rest))
    left_out = f"\n\nNot defined, since the oracle's own gain is within its spread: {named}." if rest else ""
    return markdown(["arm", *defined], rows) + left_out


def added(part: Finished) -> str:
    """Return label honesty and noise of what was added, medians over folds."""
    table = part.tables["added"]
    honesty = table.groupby(["arm", "target"], sort=False)["honesty"].median().unstack()
    noise = table.groupby("arm", sort=False)["noise_ratio"].median()
    rows = [[arm, *(f"{honesty.loc[arm, t]:.2f}" for t in part.targets), f"{noise[arm]:.2f}"] for arm in noise.index]
    return markdown(["arm", *part.targets, "noise"], rows)


def generators(part: Finished) -> str:
    """Return what the generators learned, means over folds."""
    table = part.tables["generators"]
    if "n_latent" not in table:
        return "None of them has a latent space."
    table = table[table["n_latent"].notna()]
    rows = []
    for (name, options), here in table.groupby(["generator", "options"], sort=False):
        mean = here.mean(numeric_only=True)
        rows.append(
            [
                name,
                f"`{options}`",
                f"{mean.active_units:.1f} of {mean.n_latent:.0f}",
                f"{mean.kl:.1f}",
                *(f"{value:.2g}" for value in (mean.reconstruction_rmse, mean.training_noise)),
                *(f"{value:.2f}" for value in (mean.r2_from_z_mean, mean.r2_from_z_max)),
            ]
        )
    head = ["generator", "options", "active units", "KL, nats", "reconstruction RMSE", "noise", "R² from z", "largest"]
    return markdown(head, rows)


def equivalents(part: Finished) -> str:
    """Return how many more measured spectra would have brought the same error, by the MLP."""
    table = part.tables.get("equivalents", pd.DataFrame(columns=["regressor"]))
    table = table[table["regressor"] == "mlp"]
    marks = {"at least": "≥ ", "at most": "≤ ", "reached": ""}
    rows = []
    for (arm, size), here in table.groupby(["arm", "n_train"], sort=False):
        found = here.set_index("target").reindex(part.targets)
        rows.append([arm, int(size), *(f"{marks[r.bound]}{r.gain:+.0f}" for r in found.itertuples())])
    return markdown(["arm", "spectra", *part.targets], rows)


def harms(part: Finished) -> str:
    """Return changes of the MLP's error against the baseline, one at a time; nobody declared them, so no verdicts."""
    errors = part.tables["errors"]
    errors = errors[(errors["regressor"] == "mlp") & errors["arm"].isin(["Baseline", *HARMS.values()])]
    against = compare_arms(errors, "Baseline").set_index(["arm", "target"])
    rows = [
        [*words, *(change(against.loc[(arm, t)].drop("verdict")) for t in part.targets)]
        for words, arm in HARMS.items()
        if arm in part.arms
    ]
    return markdown(["concentrations", "z", "beta", *part.targets], rows)


def crossed_ways(part: Finished) -> str:
    """Return ways of choosing concentrations against latent strategies."""
    return ways_and_strategies(part.tables["comparisons"], part.arms)


def crossed_prior(part: Finished) -> str:
    """Return every latent strategy against the prior at the same concentrations."""
    return against_the_prior(part.tables["errors"], part.arms)


def crossed_shares(part: Finished) -> str:
    """Return how much of the variation of errors concentrations and latent points bring."""
    return shares(part.tables["errors"], part.targets)


def fresh_marks(part: Finished) -> str:
    """Return how many targets each arm of part d improves, and its efficiency."""
    head = ["", "arm", "mean, %", "efficiency, %", "against itself", "against the MLP", "mean, %"]
    rows = marks(part.tables["errors"], part.targets)
    return markdown(head[: len(rows[0])], [[REGRESSORS[row[0]], *row[1:]] for row in rows])


MAKERS: dict[str, Callable[[Finished], str]] = {
    "errors": errors_table,
    **{f"changes, {title}": partial(changes, name) for name, title in REGRESSORS.items()},
    "verdicts": verdicts,
    "sentences": sentences,
    "reasons": reasons,
    "oracle": oracle,
    "added": added,
    "generators": generators,
    "equivalents": equivalents,
    "harms": harms,
    "ways": crossed_ways,
    "against the prior": crossed_prior,
    "shares": crossed_shares,
    "marks": fresh_marks,
}
"""What can be put into a page, by name; docs/study.md marks a place with the part and this name."""
_IN_ALL = {
    "errors": "RMSEP, mean ± standard deviation over folds",
    **{
        f"changes, {title}": f"Change of the RMSEP of {title} in percent, 95 % interval, verdict"
        for title in REGRESSORS.values()
    },
    "added": "Label honesty (1 is honest) and noise (1 is the instrument's) of what was added, medians over folds",
    "generators": "What the generators learned, means over folds",
}


def _all_tables(parts: Mapping[str, Finished], before: str) -> str:
    """Put sections of finished parts in place of those before, and leave all others."""
    head, *others = re.split(r"^(?=## )", before, flags=re.MULTILINE)
    sections = {section.partition("\n")[0].removeprefix("## "): section.rstrip("\n") for section in others}
    for name, part in parts.items():
        lines = [f"## {name}"]
        for what, title in _IN_ALL.items():
            if what.split(",")[0] in part.tables or what.removeprefix("changes, ") in _regressors_of(part):
                lines += ["", f"**{title}**", "", MAKERS[what](part)]
        sections[name] = "\n".join(lines)
    return "\n\n".join([head.rstrip("\n"), *sections.values()]) + "\n"


def _regressors_of(part: Finished) -> set[str]:
    return {REGRESSORS[name] for name in part.tables["comparisons"]["regressor"].unique()}


def _filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Fill marked places; tables with a row for each part keep those of what was computed elsewhere."""

    def fill(mark: re.Match[str]) -> str:
        name = mark["name"]
        if name not in blocks:
            return mark.group()
        content = blocks[name]()
        if name in ("cost", "declared means"):
            made = {line.split("|")[1] for line in content.splitlines()}
            kept = [line for line in mark.group().splitlines()[1:-1] if line.split("|")[1] not in made]
            content = "\n".join([content, *kept])
        return f"<!-- {name} -->\n{content}\n<!-- end -->"

    return _MARK.sub(fill, text)


def _in_order(folder: Path) -> list[tuple[str, int]]:
    """Sort 400 before 1500."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", folder.name)]


def _is_finished(folder: Path) -> bool:
    return (folder / "experiment.json").is_file()
