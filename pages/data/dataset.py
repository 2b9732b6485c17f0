import streamlit as st

from ui import deleting, import_panel, set_shelf, state

st.write(
    "Bring spectra in any form; see what was understood, and why, before it is used. Nothing is repaired silently."
)

draft = state.import_draft()
import_panel.upload(draft)
if draft is None:
    set_shelf.offer_built_in()
    st.subheader("Kept sets")
    set_shelf.show()
    deleting.show()
else:
    import_panel.show(draft)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **What I understood.** Each line is a guess with its reason. Change it, and the preview follows at once.
- **Please decide.** Where a file can be read in two ways, or has gaps, repeats or an unsorted axis, nothing is assumed:
  the import waits for your answer, counts what it concerns, and names rows and channels.
- **Left out** spectra and channels stay in the file and can be used again; they are written into the set's history.
- **Columns.** A target is what a calibration predicts; an id tells spectra apart; spectra of one group, such as
  replicates, are never split between training and test.
- **Recipe.** All decisions as a small JSON file, for the next file of this kind and for the command line.
"""
    )
