"""Terms on pages: each is explained there, in the glossary's words."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.glossary import meaning_of, terms_in
from core.registry.run import Run
from ui.frame.pages import PAGES

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
COMPARE = "pages/4_Compare.py"
SCRIPTS = [page.script for page in PAGES]


@pytest.fixture
def shown(make_trained: MakeTrained, open_page: OpenPage) -> list[AppTest]:
    """Every page with two runs, Runs with one in full, and Compare in every view of figures."""
    a, b = make_trained("small", {14: 0}), make_trained("large", {10: 3}, recipe="vgg16-digits")
    of_runs = open_page("pages/3_Runs.py")
    of_runs.session_state["runs_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    views = ("confusion", "confidence", "labels", "epochs")
    return [
        *(open_page(script) for script in SCRIPTS),
        *(open_page(COMPARE, a=a.id, b=b.id, view=view) for view in views),
        of_runs.run(),
    ]


def offers_words(at: AppTest) -> bool:
    names = [element.proto.component_name for element in at.get("bidi_component")]
    return names.count("transfer_lab_words") == 1


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_page_offers_its_words_also_one_that_ends_early(
    open_page: OpenPage, script: str
) -> None:
    assert offers_words(open_page(script))


def test_what_explains_a_figure_or_a_column_is_the_glossarys_sentence(shown: list[AppTest]) -> None:
    explained, otherwise = set(), []
    for at in shown:
        assert not at.exception
        for label, help in [*figures(at), *columns(at)]:
            terms = terms_in(label) if help else []
            known = [term for term in terms if meaning_of(term) in help]
            explained.update(known)
            if terms and not known:
                otherwise.append(f"{label}: {help}")
    assert otherwise == []
    assert {"accuracy", "loss", "McNemar's test", "ECE", "epoch", "parameter"} <= explained


def figures(at: AppTest) -> Iterator[tuple[str, str]]:
    for metric in at.metric:
        yield metric.label, metric.help


def columns(at: AppTest) -> Iterator[tuple[str, str]]:
    for table in at.dataframe:
        described: dict[str, dict[str, Any]] = json.loads(table.proto.columns or "{}")
        for name, column in described.items():
            yield column.get("label") or name, column.get("help") or ""
