import streamlit as st

from spectra_core.choices import Choice
from spectra_core.figures.training import information_by_dimension, reconstruction_panels, training_curve
from spectra_core.generators import GENERATORS
from ui import cache, job_panel, models, needed, physics_panel, state, widgets
from ui.exports import offer_tables
from ui.figures import show_figure
from ui.text import plain

st.write(
    "A generator learns from your data set what spectra look like. "
    "Whether it has learned shows in its loss, in the latent dimensions it uses, and in spectra it has not seen."
)

train = needed.require_experimental()
needed.say_if_few(train)
verdict = st.container()

controls, picture = st.columns([1, 2], gap="large")
with controls:
    name = widgets.pick_member("Generator", GENERATORS, key="generator", default="vae")
    st.caption(f"For whom: {GENERATORS[name].worth[0].lower()}{GENERATORS[name].worth[1:]}")
    share = st.slider(
        "Held-out spectra",
        min_value=0,
        max_value=50,
        value=10,
        step=5,
        format="%d %%",
        key="held_out_share",
        bind="query-params",
        help="Not trained on. They show whether the generator has learned or memorised; groups stay together.",
    )
    seed = widgets.pick_seed("seed")
    action = st.container()
    with st.expander("Parameters", icon=":material/tune:"):
        options = widgets.pick_options(GENERATORS[name], key="generator", n_columns=1, hidden=("physics",))
    physics = physics_panel.pick_physics(train, key="train") if name == "physics_residual" else {}
    options |= physics or {}
    job = models.unfinished_training(train.fingerprint)
    running = job is not None and job.is_active
    unfit = physics is None or widgets.checked(GENERATORS, Choice(name, options), "generator") is None
    if action.button(
        "Train",
        type="primary",
        icon=":material/model_training:",
        disabled=running or unfit,
    ):
        state.start_job(
            "train",
            {
                "set": train.fingerprint,
                "generator": name,
                "options": options,
                "seed": seed,
                "held_out_share": share / 100,
            },
            f"Train {GENERATORS[name].title} on {train.meta.name}",
        )

found = state.model()
with picture:
    if job is not None:
        job_panel.show(job.id)
    if running:
        st.caption("Leave or close the page as you like: training goes on, and the generator is taken in hand.")
    elif found is None:
        st.caption("The training curve appears here. A stored generator can be chosen above or below.")
    elif found.history.empty:
        st.caption(f"{found.record.title} is fitted exactly, in one step: there is no training curve.")
    else:
        st.subheader(plain(found.record.name))
        models.say_if_far(found)
        show_figure(cache.drawn(training_curve, found.history), key="training_curve")
    if found is not None and hasattr(found.model, "forward"):
        fitted_to = models.training_part(found, train)
        if found.model.frame_ == fitted_to.frame:
            offer_tables({"forward_model": physics_panel.show_forward_model(found, fitted_to)})

if found is not None and models.has_latent_space(found):
    seen, words = models.judged_on(found, train)
    dimensions = models.dimensions(found, train)
    rebuilt = cache.table(models.reconstruct, found, seen) if len(seen) >= 5 else None
    with verdict:
        st.markdown(models.verdict(found, seen, train, words))
        st.page_link("pages/generation/sample.py", label="Generate spectra with it", icon=":material/arrow_forward:")
    models.show_summary(found, dimensions, rebuilt, words)
    st.subheader("Which latent dimensions carry information?")
    show_figure(cache.drawn(information_by_dimension, dimensions), key="information")
    if rebuilt is not None:
        st.subheader("How well does it reconstruct?")
        st.caption(f"Five {words}, from best to worst; the decoded posterior mean beside the spectrum.")
        show_figure(
            cache.drawn(
                reconstruction_panels, rebuilt, axis_label=train.axis.label, signal_label=train.meta.signal_label
            ),
            key="reconstructions",
        )
    offer_tables({"history": found.history, "latent_dimensions": dimensions, "reconstructions": rebuilt})
    with st.expander("How to read this", icon=":material/menu_book:"):
        st.markdown(
            """
- **Training curve.** Both parts of the loss should level off. If the curve of the held-out spectra turns upwards
  while the others fall, the generator memorises: stop earlier, or use fewer hidden units.
- **Latent dimensions.** The KL divergence of a dimension is the information, in nats, that it carries on a spectrum.
  A dimension is active when the posterior mean varies by more than 0.01 over the spectra (Burda, Grosse and
  Salakhutdinov, ICLR 2016). About as many should be active as there are independent components; the decoder ignores
  the others. A smaller weight of the KL term lets more of them in.
- **Reconstructions.** The difference should look like noise. Structure left in it, at band flanks for example, is
  what generated spectra will lack, too.
"""
        )

models.show_stored()
