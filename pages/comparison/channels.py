import pandas as pd
import streamlit as st

from spectra_core.evaluation.channels.noise import noise_fidelity, noise_summary, spectrum_noise
from spectra_core.evaluation.channels.sentences import reach_sentence, vary_sentence
from spectra_core.evaluation.channels.statistics import channel_correlation, channel_differences
from spectra_core.evaluation.roles import comparisons
from spectra_core.figures import channels as figures
from spectra_core.figures.spectra import quantile_fan
from ui import cache, comparison
from ui.exports import offer_tables, report_export
from ui.figures import show_figure
from ui.text import percent, plain, significant

st.write("Mean, spread, noise and distribution of the signal along the axis.")
found = comparison.compared()
st.caption(found.sentence)
sets = found.sets
training = sets["training"]
verdict = st.empty()

with st.container(horizontal=True, vertical_alignment="bottom"):
    reference = comparison.pick_reference(found, key="channels_reference")
    noisy = st.toggle(
        "Give the noise back",
        key="noise_given_back",
        help="Adds to each channel of the generated spectra the noise that they lack, so that you can see what their "
        "smoothness does. Nothing is stored.",
    )
    reverse = comparison.pick_direction(training)
if noisy:
    sets = {**sets, "generated": cache.shared(comparison.noise_given_back, sets["generated"], training)}
labels = {"axis_label": training.axis.label, "signal_label": training.meta.signal_label, "reverse": reverse}

statistics = comparison.channel_statistics(sets)
pairs = [{one: sets[one], other: sets[other]} for one, other in comparisons(sets)]
differences = pd.concat([cache.table(channel_differences, pair) for pair in pairs], ignore_index=True)
noise = cache.table(noise_fidelity, sets)
asked = differences[(differences["role"] == "generated") & (differences["reference"] == reference)]
summary = noise_summary(noise).set_index("role")
ratios = {str(role): float(ratio) for role, ratio in summary["ratio"].items()}
floor = differences[(differences["role"] == "held-out") & (differences["reference"] == "training")]
real = "" if floor.empty else "Held-out spectra against training spectra: "
single = cache.table(spectrum_noise, sets)
reach = comparison.signal_reach(sets)
varies = vary_sentence(summary.reset_index(), single, pd.concat([asked, floor]))
verdict.markdown(f"{varies} {reach_sentence(reach)}")

columns = st.columns(4)
columns[0].metric(
    "Noise, ratio to training",
    significant(ratios["generated"], 3),
    help="Median over channels of generated over experimental noise; 1 is alike, below 1 is too smooth. "
    + (f"{real}{significant(ratios['held-out'], 3)}." if real else ""),
)
columns[1].metric(
    "Standard deviation, ratio",
    significant(asked["sd_ratio"].median(), 3),
    help="Median over channels; below 1, generated spectra vary less. "
    + (f"{real}{significant(floor['sd_ratio'].median(), 3)}." if real else ""),
)
columns[2].metric(
    "Channels that differ",
    percent((asked["ks_p_adjusted"] < figures.SIGNIFICANT).mean()),
    help="Share of channels with an adjusted Kolmogorov-Smirnov p-value below 0.05. "
    + (f"{real}{percent((floor['ks_p_adjusted'] < figures.SIGNIFICANT).mean())}." if real else ""),
)
columns[3].metric(
    "Wasserstein distance",
    significant(asked["wasserstein"].median()),
    help=f"Median over channels, in {plain(training.meta.signal_label.lower())}. "
    + (f"{real}{significant(floor['wasserstein'].median())}." if real else ""),
)

own = noise[noise["role"] == "training"]
if own["replicate_noise"].notna().any():
    times = (own["replicate_noise"] / own["noise"]).median()
    st.caption(
        f"Replicates of the training set differ by {significant(times)} times its noise "
        "(median over channels): beside the detector's noise they hold what changes from one measurement to the next."
    )
shown = statistics[statistics["role"].isin([reference, "generated"])]
show_figure(cache.drawn(quantile_fan, shown, **labels), key="channel_bands")
strips = cache.drawn(figures.difference_strips, differences, noise, statistics, reference=reference, **labels)
show_figure(strips, key="difference_strips")

st.subheader("Do channels move together as they should?")
correlation = cache.table(channel_correlation, {role: sets[role] for role in (reference, "generated")})
images = cache.drawn(figures.correlation_images, correlation, axis_label=training.axis.label, reverse=reverse)
show_figure(images, key="correlation_images")

offer_tables(
    {
        "channel_statistics": statistics,
        "channel_differences": differences,
        "noise_fidelity": noise,
        "spectrum_noise": single,
        "channel_correlation": correlation,
    }
)
report_export(
    comparison.as_result(
        "channels",
        found,
        {
            "statistics": statistics,
            "differences": differences,
            "noise": noise,
            "spectrum_noise": single,
            "reach": reach,
        },
        reference=reference,
        labels=labels,
        noise_given_back=noisy,
    )
)
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Bands.** Median, middle half and middle 90 % of the signal in every channel.
- **Mean difference.** Generated minus experimental, with its 95 % interval (Welch 1947). Grey is the
  *real-versus-real floor*: held-out minus training spectra, a difference without any cause.
- **Ratio of standard deviations.** Below 1, generated spectra do not reach the extremes of the experimental ones. The
  interval allows for heavy tails (Layard 1973).
- **Skewness.** Positive where few spectra are far stronger than most. A normal latent space tends to lose it.
- **Ratio of noise.** Noise is what a cubic through five neighbouring channels leaves (Savitzky and Golay 1964). Below
  1 the generator smooths; a network trained on such spectra may rely on details that real spectra hide. *Give the noise
  back* adds what is missing.
- **p-value.** Kolmogorov-Smirnov test per channel, adjusted over all channels (Benjamini and Hochberg 1995); above the
  dotted line it is below 0.05. With thousands of spectra, differences of no importance become significant: read the
  Wasserstein distance, in the unit of the signal, beside it. Replicates make p-values too small.
- **Correlation.** Channels of one band rise and fall together. Patterns missing on the right are relations between
  channels that the generator has lost.
"""
    )
