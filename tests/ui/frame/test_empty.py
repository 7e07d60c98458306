"""A place with nothing in it yet: what it says, and what can be put into it."""

from streamlit.testing.v1 import AppTest


def test_it_says_what_would_be_there_and_why_nothing_is_and_takes_the_way_to_some() -> None:
    def script() -> None:
        import streamlit as st

        from ui.frame import icons
        from ui.frame.empty import empty

        with empty(icons.RUNS, "Runs are listed here.", "There are none yet.", key="runs"):
            st.button("Make one")

    at = AppTest.from_function(script).run()
    assert [text.value for text in at.markdown] == [
        ":material/list_alt:",
        "**Runs are listed here.**",
    ]
    assert at.caption[0].value == "There are none yet."
    assert at.button[0].label == "Make one"
