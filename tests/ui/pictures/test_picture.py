import base64
import re

import cv2
import numpy as np
from streamlit.testing.v1 import AppTest


def page() -> None:
    import numpy as np

    from ui.pictures.picture import picture
    from ui.pictures.picture_row import Shown, picture_row

    image = np.arange(28 * 28, dtype=np.uint32).astype(np.uint8).reshape(28, 28)
    picture(image, side=196, alt='Test image 7 of "digits" <b>')
    picture(image, side=196, caption="As it was kept")
    picture_row([Shown("Ink", image, "Light on black."), Shown("Cropped", image, "To the ink.")])


def drawn() -> str:
    at = AppTest.from_function(page).run()
    assert not at.exception
    return "".join(html.value for html in at.html)


def test_a_picture_is_sent_to_the_pixel() -> None:
    encoded = re.findall(r'src="data:image/png;base64,([^"]+)"', drawn())[0]
    found = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_UNCHANGED)
    assert found.ravel().tolist() == [value % 256 for value in range(28 * 28)]


def test_every_picture_can_be_saved_under_what_it_is_called() -> None:
    assert re.findall('data-saved="png" data-name="([^"]*)"', drawn()) == [
        "Test image 7 of &quot;digits&quot; &lt;b&gt;",
        "As it was kept",
        "Ink, Light on black.",
        "Cropped, To the ink.",
    ]


def test_who_cannot_see_it_is_told_what_a_button_saves() -> None:
    assert 'aria-label="Save as PNG: As it was kept"' in drawn()
