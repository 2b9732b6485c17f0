"""Reports of what is seen of generated spectra channel by channel: the spectra themselves, and their statistics."""

import pandas as pd

from spectra_core.evaluation.channels.noise import noise_summary
from spectra_core.evaluation.channels.sentences import SIGNIFICANT, look_sentence, reach_sentence, vary_sentence
from spectra_core.figures.channels import difference_strips
from spectra_core.figures.spectra import quantile_fan, single_spectra
from spectra_core.figures.svg import svg
from spectra_core.figures.theme import role_name
from spectra_core.report.comparison import report_of_comparison
from spectra_core.report.page import Picture, Report, Table, table_of
from spectra_core.store import Store, StoredResult

_BANDS = "Median, middle half and middle 90 % of the signal in every channel."
_SINGLE = "Chosen at equal steps from the weakest to the strongest mean signal, not at random."
_STRIPS = (
    "Grey is the real-versus-real floor: held-out against training spectra, a difference without any cause. A ratio of "
    "noise below 1: the generator smooths. Above the dotted line of the last strip a channel differs (adjusted p below "
    "0.05); with thousands of spectra, differences of no importance do."
)


def report_of_spectra(result: StoredResult, store: Store) -> Report:
    """Write the report of generated spectra drawn beside experimental ones.

    Parameters
    ----------
    result
        Tables ``statistics`` as from `channel_statistics`, ``single`` as from `examples` and ``reach`` as from
        `signal_reach`; the document says how axes are drawn (``labels``).
    store
        Where the sets may be kept.
    """
    tables, labels, reference = result.tables, result.document["labels"], result.document["reference"]
    single = single_spectra(tables["single"], **labels)
    return report_of_comparison(
        result,
        store,
        question="Do generated spectra look like experimental ones?",
        answer=[look_sentence(tables["statistics"], reference), *_reach(result)],
        own={"Spectra": [_bands(result), Picture(svg(single), "Single spectra", _SINGLE)]},
        limits=["Spectra that look alike may still be copies or too smooth, which neighbours and noise tell."],
        on_the_page="open the page Spectra",
        in_python=False,
    )


def report_of_channels(result: StoredResult, store: Store) -> Report:
    """Write the report of the statistics of generated spectra beside those of experimental ones.

    Parameters
    ----------
    result
        Tables ``statistics``, ``differences``, ``noise``, ``spectrum_noise`` and ``reach`` as from
        `channel_statistics`, `channel_differences`, `noise_fidelity`, `spectrum_noise` and `signal_reach`; the document
        says how axes are drawn (``labels``).
    store
        Where the sets may be kept.
    """
    tables, labels, reference = result.tables, result.document["labels"], result.document["reference"]
    summary, differences = noise_summary(tables["noise"]), tables["differences"]
    against = {"generated": reference, "held-out": "training"}
    told = differences[differences["reference"] == differences["role"].map(against)]
    strips = difference_strips(differences, tables["noise"], tables["statistics"], reference=reference, **labels)
    return report_of_comparison(
        result,
        store,
        question="In which channels do generated spectra differ from experimental ones, and do they carry the noise?",
        answer=[vary_sentence(summary, tables["spectrum_noise"], told), *_reach(result)],
        own={
            "In short": [_medians(told, summary.set_index("role")["ratio"])],
            "Channel by channel": [_bands(result), Picture(svg(strips), "Differences", _STRIPS)],
        },
        limits=["Channels are looked at one by one: what relates them may be lost where each of them is right."],
        on_the_page="open the page Channels",
        in_python=False,
    )


def _reach(result: StoredResult) -> list[str]:
    reach = result.tables.get("reach")
    said = "" if reach is None else reach_sentence(reach)
    return [said] if said else []


def _bands(result: StoredResult) -> Picture:
    statistics, reference = result.tables["statistics"], result.document["reference"]
    shown = statistics[statistics["role"].isin([reference, "generated"])]
    return Picture(svg(quantile_fan(shown, **result.document["labels"])), "Bands", _BANDS)


def _medians(differences: pd.DataFrame, noise: "pd.Series[float]") -> Table:
    by_role = differences.groupby("role", sort=False)
    table = by_role[["sd_ratio", "wasserstein"]].median()
    table["differ"] = 100 * by_role["ks_p_adjusted"].agg(lambda p: (p < SIGNIFICANT).mean())
    table["noise"], table["role"] = noise, [role_name(str(role)) for role in table.index]
    headings = {
        "role": "Medians over channels",
        "noise": "Noise, ratio to training",
        "sd_ratio": "Standard deviation, ratio",
        "wasserstein": "Wasserstein distance",
        "differ": "Channels that differ, %",
    }
    return table_of(table, headings)
