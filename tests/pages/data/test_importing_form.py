"""Importing on Data: the form, what is told meanwhile, and how it ends."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.importing.background import Importing, Work
from core.importing.request import ImportRequest
from core.processes import this_process
from core.workspace import Workspace
from tests.core.importing.made import folder_of, pets
from ui.data.importing import PATH

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA = "pages/1_Data.py"


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def form(open_page: OpenPage, import_pictures: ImportPictures) -> Callable[[], AppTest]:
    """A function that opens Data, where a dataset "shades" is shown, with the form unfolded."""
    import_pictures()

    def form() -> AppTest:
        at = open_page(DATA)
        at.session_state["import_open"] = True
        at.run()
        assert not at.exception
        return at

    return form


def texts(at: AppTest) -> str:
    told = (*at.markdown, *at.caption, *at.info, *at.success, *at.warning, *at.error, *at.toast)
    return "\n".join(text.value for text in told)


def keys(at: AppTest) -> list[Any]:
    return [element.key for element in (*at.button, *at.text_input)]


def address(at: AppTest) -> tuple[str, str]:
    """Which dataset and view the address names."""
    named = [at.query_params.get(name, "") for name in ("dataset", "view")]
    dataset, view = (value if isinstance(value, str) else value[0] for value in named)
    return dataset, view


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, content, "") for name, content in files]).run()
    return at


def choose_path(at: AppTest, path: Path) -> AppTest:
    at.segmented_control(key="import_from").set_value(PATH).run()
    at.text_input(key="import_path").set_value(str(path)).run()
    return at


def leave(workspace: Workspace, name: str, work: Work) -> Importing:
    """An import that somebody else began, as far as it says of itself."""
    importing = Importing(workspace, name)
    importing.folder.mkdir(parents=True)
    (importing.folder / "asked.json").write_text(ImportRequest(name=name).model_dump_json())
    importing.tell(work)
    return importing


def begin(at: AppTest, name: str) -> AppTest:
    """Click on Import and wait until it has ended."""
    at.button(key="import_begin").click().run()
    assert not at.exception
    until = time.monotonic() + 200
    while f"cancel_import_{name}" in keys(at) and time.monotonic() < until:
        time.sleep(0.1)
        at.run()
    assert not at.exception
    return at


def test_a_zip_is_imported_under_the_name_of_its_file_and_its_report_shown(
    form: Callable[[], AppTest], workspace: Workspace
) -> None:
    at = upload(
        form(),
        ("My Pets.zip", zipped(pets(5, ("cat", "<b>dog<!b>")) | {"cat/broken.png": b"no picture"})),
    )
    assert at.text_input(key="import_name").value == "my-pets"
    begin(at, "my-pets")
    assert Library(workspace).names() == ["my-pets", "shades"]
    assert address(at) == ("my-pets", "report")
    assert "my\\-pets is imported" in texts(at)
    assert "import_begin" not in keys(at)  # the form is folded away
    assert "broken.png" in str(at.dataframe[0].value)
    assert not list(workspace.imports.iterdir())
    at.session_state["import_open"] = True
    at.run()
    assert not at.file_uploader[0].value


def test_a_folder_on_the_machine_is_imported_by_its_path(
    form: Callable[[], AppTest], workspace: Workspace, tmp_path: Path
) -> None:
    at = choose_path(form(), folder_of(tmp_path / "pets", pets(10)))
    at.number_input(key="import_held_out").set_value(30).run()
    begin(at, "pets")
    assert Library(workspace).find("pets").about.images["test"] == 6
    assert "30 % of each class was held out" in texts(at)


def test_the_same_images_again_are_answered_with_the_name_that_has_them(
    form: Callable[[], AppTest], workspace: Workspace
) -> None:
    leave(
        workspace, "again", Work(process=this_process(), ended=True, dataset="shades", known=True)
    )
    at = form()
    assert "These images are there already" in texts(at)
    assert "**shades**" in texts(at)
    at.button(key="dismiss_import_again").click().run()
    assert "These images are there already" not in texts(at)
    assert not list(workspace.imports.iterdir())


def test_what_cannot_be_imported_ends_in_a_sentence_and_the_form_stays_filled_in(
    form: Callable[[], AppTest], workspace: Workspace
) -> None:
    at = upload(form(), ("notes.zip", zipped({"read me.txt": b"hello"})))
    begin(at, "notes")
    assert "**notes** was not imported" in texts(at)
    assert Library(workspace).names() == ["shades"]
    assert at.file_uploader[0].value
    assert at.text_input(key="import_name").value == "notes"
    at.button(key="dismiss_import_notes").click().run()
    assert not at.error
    assert not list(workspace.imports.iterdir())


def test_a_name_is_checked_as_it_is_typed(
    form: Callable[[], AppTest], import_pictures: ImportPictures
) -> None:
    import_pictures("pets", seed=1)
    at = form()
    assert at.button(key="import_begin").disabled
    upload(at, ("pets.npz", b"anything"))
    assert at.text_input(key="import_name").value == "pets-2"
    assert not at.button(key="import_begin").disabled
    for name, said in (("pets", "there is a dataset"), ("My Pets", "small letters"), ("", "")):
        at.text_input(key="import_name").set_value(name).run()
        assert said in texts(at).replace("\\", "").lower()
        if name:
            assert at.button(key="import_begin").disabled


def test_a_name_that_a_person_wrote_stays_when_another_file_is_chosen(
    form: Callable[[], AppTest],
) -> None:
    at = upload(form(), ("first.npz", b"anything"))
    upload(at, ("second.npz", b"anything"))
    assert at.text_input(key="import_name").value == "second"
    at.text_input(key="import_name").set_value("mine").run()
    upload(at, ("third.npz", b"anything"))
    assert at.text_input(key="import_name").value == "mine"


def test_a_path_where_nothing_is_is_told_at_once(
    form: Callable[[], AppTest], tmp_path: Path
) -> None:
    at = choose_path(form(), tmp_path / "nowhere")
    at.button(key="import_begin").click().run()
    assert "where nothing is on the machine of this server" in texts(at).replace("\\", "")
    assert "import_begin" in keys(at)


def test_another_session_sees_how_far_an_import_is_and_can_cancel_it(
    open_page: OpenPage, workspace: Workspace, import_pictures: ImportPictures
) -> None:
    import_pictures()
    work = Work(process=this_process(), phase="decoding", done=3000, total=9000, left=65.0)
    importing = leave(workspace, "elsewhere", work)
    at = open_page(DATA)
    told = at.get("progress")[0].proto.text
    assert told == "Importing **elsewhere**: decoding, 3,000 of 9,000 · 1 min 05 s left of this"
    importing.tell(work.model_copy(update={"ended": True}))  # so that no test ends itself
    assert any(button.key == "cancel_import_elsewhere" for button in at.button)
    importing.cancel()
    at.run()
    assert not at.get("progress")


def test_another_session_is_told_how_an_import_ended(
    open_page: OpenPage, workspace: Workspace, import_pictures: ImportPictures
) -> None:
    import_pictures("shades")
    import_pictures("pets", seed=1)
    leave(workspace, "pets", Work(process=this_process(), ended=True, dataset="pets"))
    at = open_page(DATA, dataset="shades")
    assert address(at)[0] == "shades"
    assert "**pets** was imported" in texts(at)
    at.button(key="show_import_pets").click().run()
    assert address(at) == ("pets", "report")
    assert "was imported" not in texts(at)
