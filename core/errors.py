"""The exceptions that callers catch. Each carries one sentence for a person.

TransferLabError
├── InvalidRequest          what was asked for cannot be done as asked (exit status 2)
│   ├── InvalidConfig       a setting breaks a rule
│   ├── UnknownRun          no run, or more than one, goes by that reference
│   ├── UnreadableImage     a file or drawing that cannot be made into a picture
│   ├── UnreadableUpload    a ZIP or table from outside that cannot be read, or may not be
│   └── NotComparable       two runs that do not share a test split, or lack predictions
└── WorkFailed              the request was right, carrying it out failed (exit status 1)
    ├── DamagedFile         a file of ours does not hold what it must
    ├── DiskFull            a file could not be written, most often for want of room
    ├── WeightsUnavailable  pretrained weights could not be had
    ├── DatasetUnavailable  a dataset could not be had
    ├── Diverged            the loss became infinite or not a number
    └── PredictorDied       the process that answers predictions is gone
"""


class TransferLabError(Exception):
    """A failure that a person is told about in the words of the exception."""


class InvalidRequest(TransferLabError):
    """What was asked for cannot be done as asked."""


class InvalidConfig(InvalidRequest):
    """A setting breaks a rule; the sentence names the setting, the rule and the value."""


class UnknownRun(InvalidRequest):
    """No run, or more than one, goes by that id, prefix or name."""


class UnreadableImage(InvalidRequest):
    """A file or drawing that cannot be made into a picture for a network."""


class UnreadableUpload(InvalidRequest):
    """A ZIP or a table from outside that is damaged, not what it must be, or too much."""


class NotComparable(InvalidRequest):
    """Two runs that do not share a test split, or a run without predictions."""


class WorkFailed(TransferLabError):
    """The request was right; carrying it out failed."""


class DamagedFile(WorkFailed):
    """A file of ours does not hold what it must."""


class DiskFull(WorkFailed):
    """A file could not be written, most often because the disk has no room."""


class WeightsUnavailable(WorkFailed):
    """Pretrained weights could not be downloaded or read."""


class DatasetUnavailable(WorkFailed):
    """A dataset could not be downloaded; the sentence says how to get it by hand."""


class Diverged(WorkFailed):
    """The loss became infinite or not a number: nothing is learned any more."""


class PredictorDied(WorkFailed):
    """The process that answers predictions ended before it answered."""
