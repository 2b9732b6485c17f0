"""The board of a class: quiz scores under nicknames, where its teacher turned it on."""

import pandas as pd
import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.store import board
from spectra_core.store.classroom import class_folder, rules_of
from ui import state


def show(difficulty: str, right: list[bool], n_questions: int) -> None:
    """Show the board, and offer to put a finished round on it; nothing where there is none.

    Parameters
    ----------
    right
        Whether each answer of this round was.
    n_questions
        Of a whole round.
    """
    if not state.is_class():
        return
    home = state.workspace().home
    folder = class_folder(home)
    if folder is None or not rules_of(folder).board:
        return
    st.subheader("Board of the class")
    if len(right) == n_questions:
        with st.form("board", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            nickname = st.text_input("Nickname", max_chars=board.LONGEST_NICKNAME, key="nickname", width=260)
            if st.form_submit_button("Put my score up", icon=":material/leaderboard:"):
                try:
                    board.put_up(home, board.Score(nickname, difficulty, sum(right), n_questions))
                except SpectraCoreError as error:
                    st.warning(str(error))
    listed = board.scores(home)
    if not listed:
        st.caption("Nobody has put a score up yet.")
        return
    # A table shows names as they are: nothing in them is taken for markup.
    st.dataframe(
        pd.DataFrame(
            {
                "Nickname": [one.nickname for one in listed],
                "Difficulty": [one.difficulty for one in listed],
                "Right": [f"{one.right} of {one.asked}" for one in listed],
            }
        ),
        hide_index=True,
        key="class_board",
        alt=f"{len(listed)} scores, the highest share of right answers first.",
    )
