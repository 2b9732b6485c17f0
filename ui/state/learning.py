"""How far this visitor is on the pages that teach."""

from dataclasses import dataclass, field

import streamlit as st

_QUIZZES, _STEPS = "quizzes", "tour_steps"
"""Session keys: quizzes by subject; steps of the tour that were looked at."""


@dataclass
class Quiz:
    """One round of the quiz.

    Parameters
    ----------
    right
        Whether each answer so far was.
    told
        Whether the last answer is being looked at.
    round
        Grows with every round on the same subject: other questions.
    """

    right: list[bool] = field(default_factory=list)
    told: bool = False
    round: int = 0

    def answer(self, right: bool) -> None:
        """Note an answer; a callback."""
        if not self.told:
            self.right.append(right)
            self.told = True

    def go_on(self) -> None:
        """Ask the next question; a callback."""
        self.told = False

    def again(self) -> None:
        """Begin another round; a callback."""
        self.right, self.told, self.round = [], False, self.round + 1


def quiz(subject: str) -> Quiz:
    """Return the round under way on a subject, such as sets and difficulty."""
    quizzes: dict[str, Quiz] = st.session_state.setdefault(_QUIZZES, {})
    return quizzes.setdefault(subject, Quiz())


def note_step(number: int) -> set[int]:
    """Note that a step of the tour is looked at, and return all that were."""
    seen: set[int] = st.session_state.setdefault(_STEPS, set())
    seen.add(number)
    return seen
