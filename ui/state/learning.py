"""How far this visitor is on the pages that teach; the address says it, too, so that a reload keeps it."""

import re
from dataclasses import dataclass, field

import streamlit as st

_QUIZZES, _STEPS = "quizzes", "tour_steps"
"""Session keys: quizzes by subject; steps of the tour that were looked at."""
_ROUND, _SEEN = "quiz", "seen"
"""Names in the address: the round of the quiz that is on the page; steps of the tour that were looked at."""


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


def quiz(subject: str, n_questions: int) -> Quiz:
    """Return the round under way on a subject, such as sets and difficulty; at first that of the address."""
    quizzes: dict[str, Quiz] = st.session_state.setdefault(_QUIZZES, {})
    if subject not in quizzes:
        quizzes[subject] = Quiz() if quizzes else _resumed(st.query_params.get(_ROUND, ""), n_questions)
    found = quizzes[subject]
    answers = "".join("r" if right else "w" for right in found.right)
    st.query_params[_ROUND] = f"{found.round}-{answers}{'.' * found.told}"
    return found


def _resumed(written: str, n_questions: int) -> Quiz:
    match = re.fullmatch(r"(\d{1,6})-([rw]*)(\.?)", written)
    if match is None or not bool(match[3]) <= len(match[2]) <= n_questions:
        return Quiz()
    return Quiz([answer == "r" for answer in match[2]], bool(match[3]), int(match[1]))


def note_step(number: int, n_steps: int) -> set[int]:
    """Note that a step of the tour, counted from 0, is looked at, and return all that were."""
    if _STEPS not in st.session_state:
        kept = (int(one) - 1 for one in re.findall("[1-9]", st.query_params.get(_SEEN, "")))
        st.session_state[_STEPS] = {one for one in kept if one < n_steps}
    seen: set[int] = st.session_state[_STEPS]
    seen.add(number)
    st.query_params[_SEEN] = "".join(str(one + 1) for one in sorted(seen))
    return seen
