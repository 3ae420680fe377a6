"""Every error that tagdb raises on purpose.

::

    TagdbError                  one sentence: what is wrong and what to do
    ├── ConfigError             a setting is not valid
    ├── DatabaseError           the database cannot be reached, or refused a query
    │   ├── ServerError         the embedded server cannot be started or stopped
    │   ├── DatabaseGone        it cannot be reached, or the connection broke
    │   ├── DatabaseBusy        others were in the way, or it took too long
    │   ├── InvalidArgument     a function of tagdb's refused an argument
    │   └── SchemaError         the schema is missing or has another revision
    ├── SourceError             a source cannot be read at all
    ├── RejectedInput           one record or photo cannot be used; the others are not affected
    │   └── UnreadableInput     it is there, but cannot be read now
    ├── BackboneError           a backbone cannot be loaded or exported
    │   └── BackboneMismatch    the database's embeddings were made by another backbone
    ├── FactorsError            factors cannot be computed, or there are none
    ├── EvaluationError         the quality of recommendations cannot be measured
    ├── BackupError             a backup cannot be written or restored
    └── ExportError             nothing can be exported, or not to there

The command line prints the message and exits with code 1; a traceback is shown only with ``--verbose``. An
ingest catches ``RejectedInput`` and turns it into a row of ``ingest_errors``.
"""

from typing import Literal

ReasonCode = Literal[
    "missing", "unreadable", "not_allowed", "invalid_record", "invalid_field", "invalid_hashtag",
    "not_a_photo", "damaged", "too_large", "needs_package", "failed",
]  # fmt: skip
"""Why an input was rejected, in a word: ``docs/sources.md`` says what each means."""


class TagdbError(Exception):
    """Base of all errors that tagdb raises on purpose. Its text is one sentence for the user."""


class ConfigError(TagdbError):
    """A setting is not valid."""


class DatabaseError(TagdbError):
    """The database cannot be reached, or refused a query."""


class ServerError(DatabaseError):
    """The embedded server cannot be started or stopped."""


class DatabaseGone(DatabaseError):
    """The database cannot be reached, or the connection to it broke: later it may be there."""


class DatabaseBusy(DatabaseError):
    """Other sessions were in the way, or a query took too long: the same may succeed later."""


class InvalidArgument(DatabaseError):
    """A function of the database refused an argument. Its text begins with the argument's name."""


class SchemaError(DatabaseError):
    """The database has no tagdb schema, or one of another revision."""


class SourceError(TagdbError):
    """A source cannot be read at all."""


class RejectedInput(TagdbError):
    """One record or photo cannot be used; the others are not affected. Its text is the reason."""

    def __init__(self, reason: str, reason_code: ReasonCode) -> None:
        super().__init__(reason, reason_code)
        self.reason_code = reason_code

    def __str__(self) -> str:
        """Return the reason."""
        return str(self.args[0])


class UnreadableInput(RejectedInput):
    """A file or folder is there, but cannot be read now: nobody knows what is in it."""

    def __init__(self, reason: str, reason_code: ReasonCode = "unreadable") -> None:
        super().__init__(reason, reason_code)


class BackboneError(TagdbError):
    """A backbone cannot be loaded or exported."""


class BackboneMismatch(BackboneError):
    """The database's embeddings were made by another backbone."""


class FactorsError(TagdbError):
    """Factors cannot be computed, or there are none."""


class EvaluationError(TagdbError):
    """The quality of recommendations cannot be measured."""


class BackupError(TagdbError):
    """A backup cannot be written or restored."""


class ExportError(TagdbError):
    """Nothing can be exported, or not to there."""
