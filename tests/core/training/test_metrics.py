import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training.metrics import Event, append_event, lasting, mend, read_events

BATCH: Event = {"event": "batch", "step": 1, "loss": 0.5}
EPOCH: Event = {"event": "epoch", "epoch": 1, "test_accuracy": 0.9}

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
events = st.fixed_dictionaries({"event": st.text()}).flatmap(
    lambda event: st.dictionaries(st.text(), values).map(lambda more: {**more, **event})
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics") / "metrics.jsonl"


def test_events_come_back_in_order(path: Path) -> None:
    append_event(path, BATCH)
    append_event(path, EPOCH)
    assert read_events(path)[0] == [BATCH, EPOCH]


def test_each_event_is_one_line_of_json(path: Path) -> None:
    append_event(path, {"event": "note", "text": "two\nlines\u2028"})
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["two\nlines\u2028"]


def test_a_file_that_is_not_there_yet_holds_no_events(path: Path) -> None:
    assert read_events(path) == ([], 0)


def test_reading_on_gives_only_what_is_new(path: Path) -> None:
    append_event(path, BATCH)
    _, offset = read_events(path)
    append_event(path, EPOCH)
    assert read_events(path, offset)[0] == [EPOCH]


def test_reading_on_when_nothing_is_new_stays_where_it_is(path: Path) -> None:
    append_event(path, BATCH)
    _, offset = read_events(path)
    assert read_events(path, offset) == ([], offset)


@pytest.mark.parametrize("line", [b"\0\0\0\0", b'{"event": "ba', b"\xff\xfe", b"[1]", b'{"a": 1}'])
def test_a_line_that_is_no_event_is_passed_over(path: Path, line: bytes) -> None:
    append_event(path, BATCH)
    with path.open("ab") as file:
        file.write(line + b"\n")
    append_event(path, EPOCH)
    assert read_events(path)[0] == [BATCH, EPOCH]


@given(st.lists(events, min_size=1, max_size=5), st.data())
def test_a_line_half_written_is_left_for_the_next_read(
    shared: Path, written: list[Event], data: st.DataObject
) -> None:
    content = "".join(json.dumps(event) + "\n" for event in written).encode()
    cut = data.draw(st.integers(0, len(content)))
    shared.write_bytes(content[:cut])
    first, offset = read_events(shared)
    shared.write_bytes(content)
    rest, end = read_events(shared, offset)
    assert len(first) == content[:cut].count(b"\n")
    assert first + rest == written
    assert end == len(content)


@given(st.lists(events, max_size=5))
def test_whatever_is_appended_is_read(shared: Path, written: list[Event]) -> None:
    shared.unlink(missing_ok=True)
    for event in written:
        append_event(shared, event)
    assert read_events(shared)[0] == written


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_cannot_say_is_left_out(path: Path, number: float) -> None:
    append_event(path, BATCH | {"loss": number})
    (event,) = read_events(path)[0]
    assert "loss" not in event
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == event


def test_two_writers_do_not_mix_their_lines(path: Path) -> None:
    def write(name: str) -> None:
        for step in range(200):
            append_event(path, {"event": "batch", "name": name, "step": step})

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = read_events(path)[0]
    for name in "ab":
        assert [event["step"] for event in found if event["name"] == name] == list(range(200))


def test_a_line_that_a_process_died_over_does_not_spoil_the_next(path: Path) -> None:
    append_event(path, BATCH)
    with path.open("ab") as file:
        file.write(b'{"event": "epo')
    mend(path)
    append_event(path, EPOCH)
    assert read_events(path)[0] == [BATCH, EPOCH]


def test_a_file_that_is_whole_or_not_there_needs_no_mending(path: Path) -> None:
    mend(path)
    assert not path.exists()
    path.touch()
    mend(path)
    assert path.read_bytes() == b""
    append_event(path, BATCH)
    whole = path.read_bytes()
    mend(path)
    assert path.read_bytes() == whole


def batch(step: int) -> Event:
    return {"event": "batch", "step": step}


def epoch(number: int) -> Event:
    return {"event": "epoch", "epoch": number}


def note(number: int, text: str) -> Event:
    return {"event": "note", "epoch": number, "text": text}


def test_what_an_interruption_undid_is_told_once() -> None:
    resumed = {"event": "resumed", "epoch": 1, "step": 2}
    begun = {"event": "note", "text": "pictures are left out"}
    told = [begun, batch(1), batch(2), epoch(1), note(1, "kept"), batch(3), epoch(2), note(2, "x")]
    again = [batch(3), batch(4), epoch(2)]
    assert lasting([*told, resumed, *again]) == [*told[:5], resumed, *again]


def test_each_interruption_undoes_what_came_after_its_checkpoint() -> None:
    first = {"event": "resumed", "epoch": 0, "step": 2}
    second = {"event": "resumed", "epoch": 0, "step": 1}
    told = [batch(1), batch(2), batch(3), first, batch(3), batch(4), second, batch(2)]
    assert lasting(told) == [batch(1), first, second, batch(2)]


def test_without_an_interruption_all_of_it_lasts() -> None:
    told = [batch(1), epoch(1), note(1, "x"), batch(2)]
    assert lasting(told) == told
