import streamlit as st

from spectra_core.evaluation.physics import checks
from spectra_core.evaluation.similarity import blind_quiz
from spectra_core.evaluation.similarity.blind_quiz import DIFFICULTIES, N_QUESTIONS
from spectra_core.figures.learn import blind_spectra
from ui import cache, comparison, needed, quiz_board, state
from ui.figures import show_figure
from ui.text import counted, percent

_SWAPPED = "you take one for the other more often than chance would."

st.write(
    "One of two spectra is experimental, the other was made by a generator. Six pairs, then six duels of a generated "
    "spectrum with the experimental one nearest to it."
)
needed.require_both()
found = comparison.compared()
sets = {role: found.sets[role] for role in ("training", "generated")}
difficulty = st.segmented_control(
    "Difficulty",
    list(DIFFICULTIES),
    default="easy",
    required=True,
    format_func=str.capitalize,
    key="quiz_difficulty",
    bind="query-params",
)
st.caption(f"{DIFFICULTIES[difficulty]} {found.sentence}")
if difficulty == "hard":
    sets["generated"] = cache.shared(comparison.noise_given_to_each, sets["generated"], sets["training"])

physics = cache.table(checks.physics, sets)
limits = checks.physics_limits(physics)
quiz = state.quiz(f"{sets['training'].fingerprint} {sets['generated'].fingerprint} {difficulty}", N_QUESTIONS)
offences = checks.physics_offences(physics, limits)
questions = blind_quiz.blind_questions(sets, offences, difficulty, seed=quiz.round)

n_right, n_asked = sum(quiz.right), len(quiz.right)
if n_asked == N_QUESTIONS and not quiz.told:
    low, high = blind_quiz.score_interval(n_right, n_asked)
    machine = cache.table(blind_quiz.machine_score, sets)
    st.subheader(f"{n_right} of {n_asked} right")
    yours, theirs, guessing = st.columns(3)
    between = f"{percent(low)} to {percent(high)}"
    yours.metric("You", percent(n_right / n_asked), help=f"95 % interval (Clopper and Pearson): {between}.")
    theirs.metric(
        "A classifier",
        percent(machine),
        help="Share of such pairs that trees on principal components tell right, after learning from other spectra: "
        "the area under the ROC curve of the classifier two-sample test.",
    )
    guessing.metric("Guessing", "50 %")
    st.write(
        f"With {n_asked} answers your true share lies within {between}: "
        + ("you can tell them apart." if low > 0.5 else "that is not told from guessing." if high > 0.5 else _SWAPPED)
    )
    st.button("Play again", on_click=quiz.again, type="primary", icon=":material/replay:")
else:
    number = n_asked - quiz.told
    question = questions[number]
    which = "any experimental spectrum beside it" if question.kind == "pair" else "its nearest neighbour"
    st.subheader(f"Question {number + 1} of {N_QUESTIONS}: which one is generated?")
    so_far = f" So far {counted(n_right, 'right answer')} of {n_asked}." if n_asked else ""
    st.caption(f"A {question.kind}: {which}.{so_far}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if quiz.told:
            last = n_asked == N_QUESTIONS
            st.button("See the score" if last else "Next", on_click=quiz.go_on, type="primary", key="quiz_next")
            st.markdown("**Right.**" if quiz.right[-1] else "**Wrong.**")
        else:
            for letter, first in (("A", True), ("B", False)):
                right = first == question.generated_first
                st.button(f"{letter} is generated", on_click=quiz.answer, args=(right,), key=f"quiz_{letter}")
    if quiz.told:
        st.write(" ".join(blind_quiz.giveaways(question, physics, limits)))
    figure = cache.drawn(
        blind_spectra,
        blind_quiz.blind_pair(sets, question),
        generated_first=question.generated_first,
        told=quiz.told,
        axis_label=sets["training"].axis.label,
        signal_label=sets["training"].meta.signal_label,
    )
    show_figure(figure, key=f"quiz_{number}")

if not quiz.told:
    quiz_board.show(difficulty, quiz.right, N_QUESTIONS)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Blue** is experimental, **orange** generated, once you have answered; before, colours mean nothing.
- **Jitter** is what is left of a spectrum after a cubic through neighbouring channels, in units of the noise of
  experimental spectra; 95 % of theirs lies in the grey band. A generator that learns means draws too little of it.
- **Your share** has an interval, since twelve answers are few: ten right of twelve rule chance out, nine do not.
- **The classifier** is asked the same: of one real and one generated spectrum, which is generated? It looks at all
  principal components at once, faint ones too, and has learned from other spectra of both kinds.
- **Hard**: noise is given back, so that smoothness gives nothing away.
"""
    )
