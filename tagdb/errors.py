"""Every error that tagdb raises on purpose.

::

    TagdbError                  one sentence: what is wrong and what to do
    ├── ConfigError             a setting cannot be understood
    ├── DatabaseError           the database cannot be reached, or refused
    │   ├── ServerError         the embedded server cannot be started or stopped
    │   └── SchemaError         the schema is missing, or of another version
    ├── SourceError             nothing can be ingested from a source at all
    ├── RejectedInput           one record or photo is unusable; the others go on
    ├── BackboneError           a backbone cannot be loaded or exported
    │   └── BackboneMismatch    the database's embeddings were made by another backbone
    ├── FactorsError            factors cannot be computed, or there are none
    ├── EvaluationError         it cannot be measured how good recommendations are
    └── BackupError             a backup cannot be written or restored

The command line prints the message and ends with exit code 1; a traceback is shown only with
``--verbose``. ``RejectedInput`` is caught by the ingest and becomes a row of ``ingest_errors``.
"""


class TagdbError(Exception):
    """Root of all errors that tagdb raises on purpose. Its text is one sentence for the user."""


class ConfigError(TagdbError):
    """A setting cannot be understood."""


class DatabaseError(TagdbError):
    """The database cannot be reached, or refused what was asked of it."""


class ServerError(DatabaseError):
    """The embedded server cannot be started or stopped."""


class SchemaError(DatabaseError):
    """The database has no tagdb schema, or one of another version."""


class SourceError(TagdbError):
    """Nothing can be ingested from a source at all."""


class RejectedInput(TagdbError):
    """One record or photo is unusable; the others go on. Its text is the reason."""


class BackboneError(TagdbError):
    """A backbone cannot be loaded or exported."""


class BackboneMismatch(BackboneError):
    """The database's embeddings were made by another backbone."""


class FactorsError(TagdbError):
    """Factors cannot be computed, or there are none."""


class EvaluationError(TagdbError):
    """It cannot be measured how good recommendations are."""


class BackupError(TagdbError):
    """A backup cannot be written, or not be restored."""
