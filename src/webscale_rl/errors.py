"""The errors that are people's to mend: the command line tells each in a line or a few, without a traceback.

UserError           something must be mended first: exit code 2
  x ConfigError     a configuration that cannot be used
      x ChangedError    the directory holds a run with another configuration
  x CorpusError     documents that are not there or cannot be read
  x DomainError     a domain folder that cannot be used
  x PromptError     a prompt file that cannot be used
  x ExportError     a dataset that cannot be exported
  x TrainingError   data, a model or a recipe that cannot be trained with, or evaluated
RunStopped          a run that ended before its corpus did: exit code 3 if running it again goes on, else 2
"""

from __future__ import annotations


class UserError(ValueError):
    """Something that a user must mend. The message says where, what was wrong and what to do."""


class ConfigError(UserError):
    """A configuration that cannot be used. Each line names the key, what was wrong and what to do."""


class ChangedError(ConfigError):
    """The directory holds a run with another configuration. The message says what differs and what that pays again."""


class CorpusError(UserError):
    """An input that cannot be read at all: one line for people, which says what to do about it."""


class DomainError(UserError):
    """A domain folder that cannot be used: each line names the file, what is wrong and what to do."""


class PromptError(UserError):
    """A prompt file that cannot be used: says which file, and what to mend."""


class ExportError(UserError):
    """A dataset that cannot be exported."""


class TrainingError(UserError):
    """Data, a model or a recipe that cannot be trained with, or evaluated: says which, and what to do about it."""


class RunStopped(RuntimeError):
    """A run that ended before its corpus did. `code` is 3 if running it again goes on, else 2."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code
