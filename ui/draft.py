"""The settings of a run before it is launched, as a person left them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from core import choices
from core.config import RunConfig
from core.recipes import Recipe
from core.settings import change, setting_of


@dataclass(frozen=True)
class Draft:
    """The settings of one recipe as a person left them, kept for as long as the session lasts.

    Those that do nothing under the current choices keep their values too, and have them again when
    the choice comes back.
    """

    recipe: Recipe
    values: dict[str, Any]

    @classmethod
    def of(cls, recipe: Recipe) -> Draft:
        """What was left of a recipe, at first the recipe itself."""
        start = choices.settings_of(recipe.config)
        return cls(recipe, st.session_state.setdefault(f"_draft_{recipe.name}", start))

    @property
    def config(self) -> RunConfig:
        """The configuration. Raises InvalidConfig where the settings do not fit each other."""
        return change(self.recipe.config, choices.effective(self.values, self.recipe.config))

    @property
    def lacks_weights_file(self) -> bool:
        """Whether a weights file was chosen and not named yet."""
        return self.shows("network.weights") and self.values["network.weights"] == ""

    def shows(self, setting: str) -> bool:
        """Whether a setting does something under the current choices."""
        return choices.matters(setting, self.values)

    def field(self, setting: str) -> FieldInfo:
        """What the configuration knows of a setting."""
        return setting_of(self.recipe.config, setting)[0]

    def widget(self, setting: str, part: str = "") -> str:
        """The key of the widget that asks for a setting, or for a part of it."""
        return ".".join(filter(None, [self.recipe.name, setting, part]))

    def take(self, setting: str, value: Any) -> dict[str, Any]:
        """Change a setting; returns the others that had to change along with it."""
        changes = choices.fitting(self.values, setting, value, self.recipe.config)
        self.values.update(changes)
        del changes[setting]
        for other in changes:
            self._forget_widgets(other)
        return changes

    def _forget_widgets(self, setting: str) -> None:
        """Have the widgets of a setting begin anew, with its value as it is now."""
        for key in [key for key in st.session_state if _belongs(key, self.widget(setting))]:
            del st.session_state[key]


def _belongs(key: Any, widget: str) -> bool:
    return key == widget or str(key).startswith(f"{widget}.")
