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

    def __reduce__(self) -> tuple[type[EcomScriptError], tuple[str, str], dict[str, object]]:
        """Cross from one process to another; an exception alone would come back with its one sentence."""
        return type(self), (self.cause, self.fix), self.__dict__


class InputError(EcomScriptError):
    """A goal, an option or a line of an input file cannot be used."""


class CatalogError(EcomScriptError):
    """A catalogue file is missing or has a row that cannot be used."""


class IndexFolderError(EcomScriptError):
    """An index folder is missing, half-written, damaged or built with other settings."""


class ConfigError(EcomScriptError):
    """A setting (environment variable) has a value that cannot be used."""


class FeedbackError(EcomScriptError):
    """A rating was not stored, or the stored ones cannot be read."""


class ModelError(EcomScriptError):
    """Model weights are missing or are not the expected ones."""


class LanguageModelError(EcomScriptError):
    """A language model could not be asked, or did not answer in a way that can be used; never holds a key or a word of the answer.

    Args:
        cause: What went wrong.
        fix: What the reader can do about it.
        services_fault: Whether the service is to be left alone for a while when this goes on.
    """

    def __init__(self, cause: str, fix: str, services_fault: bool = True) -> None:
        super().__init__(cause, fix)
        self.services_fault = services_fault
