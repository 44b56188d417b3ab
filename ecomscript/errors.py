"""The errors that a person may see; every message names the cause and the fix."""

from __future__ import annotations


class EcomScriptError(Exception):
    """Base of all expected errors.

    Args:
        cause: What went wrong, with the expected and the found value where there is one.
        fix: What the reader can do about it.
    """

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(f"{cause.rstrip('.')}. {fix}")
        self.cause = cause
        self.fix = fix


class InputError(EcomScriptError):
    """A goal, an option or a line of an input file cannot be used."""


class CatalogError(EcomScriptError):
    """A catalogue file is missing or has a row that cannot be used."""


class IndexFolderError(EcomScriptError):
    """An index folder is missing, half-written, damaged or built with other settings."""


class ConfigError(EcomScriptError):
    """A setting (environment variable) has a value that cannot be used."""


class ModelError(EcomScriptError):
    """Model weights are missing or are not the expected ones."""
