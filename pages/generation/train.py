import streamlit as st

from ui import state

st.title("Does it learn?")
train = state.require_experimental()
