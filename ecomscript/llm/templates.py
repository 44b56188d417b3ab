"""Prompts as Jinja templates in YAML files: one file a purpose, one template a name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError, UndefinedError

from ecomscript.errors import InputError

PROMPTS = Path(__file__).parent / "prompts"


class Templates:
    """The templates of one file.

    Args:
        source: What error messages call them: the path of the file.
        texts: Template texts by name.

    Raises:
        InputError: A text is no Jinja template.
    """

    def __init__(self, source: Path, texts: Mapping[str, str]) -> None:
        self._source = source
        environment = Environment(undefined=StrictUndefined)
        self._templates = {}
        for name, text in texts.items():
            try:
                self._templates[name] = environment.from_string(text)
            except TemplateError as error:
                raise InputError(f"The prompt {name!r} in {source} is no Jinja template ({error})", "Correct it.") from None

    @classmethod
    @cache
    def load(cls, path: Path, names: tuple[str, ...]) -> Templates:
        """Read a YAML file that maps names to templates, once.

        Args:
            path: The file.
            names: Templates that it must have.

        Raises:
            InputError: The file is missing or damaged, or lacks a template.
        """
        try:
            texts = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            cause = " ".join(str(error).split())
            raise InputError(f"The prompts in {path} cannot be read ({cause})", "Check the file out again.") from None
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise InputError(f"{path} does not map names to texts", "Write each prompt as `name: |-` and its lines.")
        if missing := [name for name in names if name not in texts]:
            raise InputError(f"{path} lacks the prompt {missing[0]!r}", "Add it.")
        return cls(path, texts)

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """Return a template with its values put in, as they are.

        Raises:
            InputError: The template names a value that is not there.
        """
        try:
            return self._templates[name].render(values)
        except UndefinedError as error:
            raise InputError(f"The prompt {name!r} in {self._source} cannot be filled ({error})", "Correct it.") from None
