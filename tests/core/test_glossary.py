"""The glossary: short, unambiguous, and about words that the pages use."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from core.glossary import GLOSSARY, meaning_of, terms_in
from core.registry.config import RunConfig

PROJECT = Path(__file__).resolve().parents[2]


def test_a_meaning_is_one_sentence() -> None:
    for name, term in GLOSSARY.items():
        assert term.meaning[0].isupper(), name
        assert term.meaning.endswith("."), name
        assert ". " not in term.meaning, name
        assert len(term.meaning) <= 160, name


def test_a_term_is_recognised_as_itself_and_as_no_other() -> None:
    for name in GLOSSARY:
        for written in (name, name.upper(), f"({name}s)", f"the {name}."):
            assert terms_in(written) == [name], written


def test_a_word_that_contains_a_term_is_not_one() -> None:
    assert terms_in("ahead, footsteps, classified, pre-trained on stepwise splitting") == []


def test_the_longer_of_two_terms_is_meant() -> None:
    assert terms_in("weight decay") == ["weight decay"]
    assert terms_in("class weights by label") == ["class weights", "label"]
    assert terms_in("the training loss of test images") == ["loss", "test images"]


def test_a_source_is_named_where_there_is_one() -> None:
    assert meaning_of("ECE").endswith("(Guo et al., 2017).")
    assert meaning_of("F1") == "The harmonic mean of recall and precision."


def test_no_term_is_explained_that_no_page_uses() -> None:
    assert set(GLOSSARY) - set(terms_in("\n".join(texts_of_pages()))) == set()


def texts_of_pages() -> Iterator[str]:
    """All strings in the code of pages, and what settings, datasets and layers are called."""
    for folder in ("ui", "pages"):
        for path in (PROJECT / folder).rglob("*.py"):
            yield from strings_in(path)
    yield from strings_in(PROJECT / "app.py")
    for module in ("registry/recipes", "data/catalogue", "network/graphs", "network/backbones"):
        yield from strings_in(PROJECT / "core" / f"{module}.py")
    yield from descriptions(RunConfig)


def strings_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def descriptions(model: type[BaseModel]) -> Iterator[str]:
    for field in model.model_fields.values():
        yield field.description or ""
        yield from filter(lambda choice: isinstance(choice, str), get_args(field.annotation))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from descriptions(field.annotation)
