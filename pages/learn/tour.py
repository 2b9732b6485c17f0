import streamlit as st

from ui import needed, state, tour

st.write("Each step has one picture, one sentence, and one thing to do.")
needed.require_both()

KEY = "step"
numbers = [str(number) for number in range(1, len(tour.STEPS) + 1)]
picked = st.segmented_control("Step", numbers, default=state.unless_set(KEY, "1"), key=KEY, bind="query-params")
place = numbers.index(picked or "1")
step = tour.STEPS[place]
seen = state.note_step(place, len(numbers))
st.progress(len(seen) / len(numbers), text=f"{len(seen)} of {len(numbers)} steps seen")

st.subheader(f"{place + 1}. {step.title}")
st.write(step.sentence)
st.markdown(f"**To do:** {step.task}")
step.show(tour.sets_in_hand())

with st.container(horizontal=True, vertical_alignment="center"):
    if place:
        st.button("Back", on_click=state.set_widget, args=(KEY, numbers[place - 1]), icon=":material/arrow_back:")
    if place + 1 < len(numbers):
        onward = numbers[place + 1]
        st.button(
            "Next", on_click=state.set_widget, args=(KEY, onward), icon=":material/arrow_forward:", type="primary"
        )
    else:
        st.page_link("pages/learn/quiz.py", label="Now take the quiz", icon=":material/quiz:")
    st.page_link(step.page, label="The page with all controls", icon=":material/open_in_new:")
