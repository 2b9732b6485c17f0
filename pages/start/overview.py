import streamlit as st

st.title("What is this, and where am I?")
st.write("Generate spectra, see how they differ from measured ones, and find out whether they improve a calibration.")
