"""The settings of a run before it is launched, as a person left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st
from pydantic.fields import FieldInfo

from core.registry import choices
from core.registry.config import RunConfig
from core.registry.recipes import Recipe
from core.registry.settings import change, setting_of


class Replaced(NamedTuple):
    """What a draft was before all of it was replaced, and a sentence about what replaced it."""

    by: str
    values: dict[str, Any]
    origin: str


@dataclass
class Draft:
    """The settings of one recipe as a person left them, kept for as long as the session lasts.

    Those that do nothing under the current choices keep their values too, and have them again when
    the choice comes back. `start` holds the recipe's own; `origin` says where the settings came
    from, if not from the recipe; `replaced` can be gone back to until something else is changed.
    """

    recipe: Recipe
    start: dict[str, Any]
    values: dict[str, Any]
    origin: str = ""
    replaced: Replaced | None = None
    generation: int = 0

    @classmethod
    def of(cls, recipe: Recipe) -> Draft:
        """What was left of a recipe, at first the recipe itself."""
        key = f"_draft_{recipe.name}"
        if key not in st.session_state:
            start = choices.settings_of(recipe.config)
            st.session_state[key] = cls(recipe, start, dict(start))
        draft: Draft = st.session_state[key]
        return draft

    @property
    def config(self) -> RunConfig:
        """The configuration. Raises InvalidConfig where the settings do not fit each other."""
        return change(self.recipe.config, choices.effective(self.values, self.recipe.config))

    @property
    def lacks_weights_file(self) -> bool:
        """Whether a weights file was chosen and not named yet."""
        return self.shows("network.weights") and self.values["network.weights"] == ""

    @property
    def changes(self) -> list[str]:
        """The settings that were changed against the recipe, of those that do something."""
        return [
            setting
            for setting in self.values
            if self.is_changed(setting) and setting not in choices.FOLLOWING
        ]

    def is_changed(self, setting: str) -> bool:
        """Whether a setting does something and is not as in the recipe."""
        return self.values[setting] != self.start[setting] and self.shows(setting)

    def shows(self, setting: str) -> bool:
        """Whether a setting does something under the current choices."""
        return choices.matters(setting, self.values)

    def field(self, setting: str) -> FieldInfo:
        """What the configuration knows of a setting."""
        return setting_of(self.recipe.config, setting)[0]

    def widget(self, setting: str, part: str = "") -> str:
        """The key of the widget that asks for a setting, or for a part of it."""
        return ".".join(filter(None, [self.recipe.name, setting, part]))

    def table(self, setting: str) -> str:
        """The key of the table that asks for a setting.

        A browser keeps what was typed into a table for as long as its key and its first rows are
        the same, so settings from elsewhere need another key.
        """
        return self.widget(setting, str(self.generation or ""))

    def take(self, setting: str, value: Any, also: Mapping[str, Any] = {}) -> dict[str, Any]:
        """Change a setting; returns the others that had to change along with it.

        also: further settings that shall change along.
        """
        changes = choices.fitting(self.values, setting, value, self.recipe.config)
        changes |= {key: new for key, new in also.items() if new != self.values[key]}
        self.values.update(changes)
        self.replaced = None
        del changes[setting]
        self._forget_widgets(changes)
        return changes

    def reset(self, settings: Iterable[str]) -> None:
        """Have some settings as in the recipe again, with what changes along with them."""
        for setting in settings:
            self.take(setting, self.start[setting])
            self._forget_widgets([setting])
        self.generation += 1

    def replace(self, values: dict[str, Any], by: str, origin: str = "") -> None:
        """Have all settings from elsewhere; `by` says in a sentence what became of these."""
        self.replaced = Replaced(by, self.values, self.origin) if self.changes else None
        self._begin_with(values, origin)

    def undo(self) -> None:
        """Go back to the settings that were replaced last."""
        if self.replaced is not None:
            _, values, origin = self.replaced
            self.replaced = None
            self._begin_with(values, origin)

    def _begin_with(self, values: dict[str, Any], origin: str) -> None:
        head = choices.head_settings(choices.head_layers(values))  # as a table would write it
        self.values, self.origin = values | head, origin
        self._forget_widgets(values)
        self.generation += 1

    def _forget_widgets(self, settings: Iterable[str]) -> None:
        """Have the widgets of some settings begin anew, with the values as they are now."""
        widgets = [self.widget(setting) for setting in settings]
        for key in map(str, list(st.session_state)):
            if any(key == widget or key.startswith(f"{widget}.") for widget in widgets):
                del st.session_state[key]
