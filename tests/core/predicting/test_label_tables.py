from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableUpload
from core.predicting.label_tables import read_labels


@pytest.mark.parametrize(
    "content",
    [
        b"file,label\na.png,4\nb/c.png,cat\n",
        b"\xef\xbb\xbfFile;Label\r\n./a.png;4\r\nb\\c.png; cat\r\n\r\n",
        b'id\tlabel\tfile\n1\t4\ta.png\n2\t"cat"\t"b/c.png"\n',
    ],
)
def test_a_table_is_read_however_it_was_saved(content: bytes) -> None:
    labels = read_labels(content)
    assert dict(labels.by_file) == {"a.png": "4", "b/c.png": "cat"}
    assert labels.of("upload.zip/b/c.png") == "cat"
    assert labels.of("c.png") is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must have the columns file and label, got none"),
        (b"label,pixel0,pixel1,pixel2\n", "got label, pixel0, pixel1 and 1 more; a table of pix"),
        (b"file,label\na.png\n", "line 2 of the table has too few columns"),
        (b"file,label\n\xff.png,4\n", "text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableUpload, match=sentence):
        read_labels(content)


@given(st.binary(max_size=200))
def test_nonsense_ends_in_a_sentence(content: bytes) -> None:
    for start in (b"", b"file,label\n"):
        with suppress(UnreadableUpload):
            read_labels(start + content)
