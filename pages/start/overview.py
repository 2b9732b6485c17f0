import streamlit as st

from ui import demo

st.title("What is this, and where am I?")
st.write(
    "A model learns your spectra, makes new ones, and you see how they differ from the measured ones and whether "
    "they improve a calibration."
)

demo.show_pipeline()
demo.offer_pipeline()
