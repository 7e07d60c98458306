import threading
from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.errors import WorkFailed
from core.jobs import Tell
from tests.conftest import wait_until

Visitor = Callable[[], AppTest]


class Work:
    """What two pages wait for: it goes on until it may end, or until nobody wants it."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.ended = 0, threading.Event(), threading.Event()

    def __call__(self, tell: Tell) -> str:
        self.begun += 1
        self.ended.clear()
        try:
            while not self.may_end.wait(0.01):
                tell(0.25, "counting")
        finally:
            self.ended.set()
        return f"done {self.begun}"


WORK: dict[str, Work] = {}


def script(key: str) -> None:
    import streamlit as st

    from core.errors import TransferLabError
    from tests.ui.frame.test_waiting import WORK
    from ui.frame import waiting

    waiting.leave_other_pages(st.query_params.get("page", "one"))
    if "elsewhere" in st.query_params:
        st.stop()
    try:
        anew = st.button("Count")
        result = waiting.wait_for("Counting sheep", ("sheep", key), WORK[key], anew=anew)
        st.markdown(f"result: {result}")
    except TransferLabError as error:
        st.error(str(error))


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Iterator[Work]:
    made = WORK[request.node.name] = Work()
    yield made
    made.may_end.set()
    st.cache_resource.clear()


@pytest.fixture
def visitor(work: Work, request: pytest.FixtureRequest) -> Visitor:
    """A function that opens the page for somebody who waits for the test's work."""
    return lambda: AppTest.from_function(
        script, args=(request.node.name,), default_timeout=200
    ).run()


def progress(at: AppTest) -> list[str]:
    return [element.proto.text for element in at.get("progress")]


def click(at: AppTest, label: str) -> AppTest:
    (button,) = [button for button in at.button if button.label == label]
    return button.click().run()


def told(at: AppTest) -> str:
    return " ".join(text.value for text in (*at.markdown, *at.caption))


def until(at: AppTest, text: str) -> bool:
    """Look at the page, now and then, until it says something."""
    return bool(wait_until(lambda: text in told(at) or (at.run() and text in told(at))))


def test_what_is_done_quickly_is_there_at_once(work: Work, visitor: Visitor) -> None:
    work.may_end.set()
    at = visitor()
    assert "result: done 1" in told(at)
    assert not progress(at)


def test_while_it_goes_on_the_page_stands_and_says_how_far_it_is(
    work: Work, visitor: Visitor
) -> None:
    at = visitor()
    assert progress(at)[0].startswith("Counting sheep: counting, 25 %")
    assert "result: None" in told(at)
    work.may_end.set()
    assert until(at, "result: done 1")


def test_what_is_cancelled_ends_and_can_be_started_again(work: Work, visitor: Visitor) -> None:
    at = click(visitor(), "Cancel")
    assert work.ended.wait(60)
    assert "Counting sheep was cancelled; nothing of it is kept." in told(at)
    assert not progress(at.run())
    work.may_end.set()
    assert until(click(at, "Start again"), "result: done 2")


def test_what_was_cancelled_begins_anew_where_it_is_asked_for_by_another_button(
    work: Work, visitor: Visitor
) -> None:
    at = click(visitor(), "Cancel")
    assert work.ended.wait(60)
    work.may_end.set()
    assert until(click(at, "Count"), "result: done 2")


def test_another_visitor_is_not_harmed_by_a_cancel(work: Work, visitor: Visitor) -> None:
    one, other = visitor(), visitor()
    click(one, "Cancel")
    work.may_end.set()
    assert until(other, "result: done 1")
    assert "was cancelled" in told(one.run())


def test_what_a_page_waited_for_ends_when_another_is_opened(work: Work, visitor: Visitor) -> None:
    at = visitor()
    at.query_params.update(page="two", elsewhere="1")
    at.run()
    assert work.ended.wait(60)


def refuse(tell: Tell) -> str:
    raise WorkFailed("the barn is locked")


def break_off(tell: Tell) -> str:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("how", "sentence"),
    [(refuse, "the barn is locked"), (break_off, "Counting sheep broke off for a reason that")],
)
def test_a_failure_is_raised_and_the_next_look_tries_anew(
    how: Callable[[Tell], str],
    sentence: str,
    work: Work,
    visitor: Visitor,
    request: pytest.FixtureRequest,
) -> None:
    WORK[request.node.name] = how  # type: ignore[assignment]
    at = visitor()
    wait_until(lambda: at.error or at.run().error)
    assert at.error[0].value.startswith(sentence)
    assert not at.exception
    work.may_end.set()
    WORK[request.node.name] = work
    assert until(at.run(), "result: done 1")
