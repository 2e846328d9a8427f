"""What can be wrong with a call for a sample log, each in one line that is safe to print."""


class SampleLogError(Exception):
    """Base: sample logs cannot be made or evaluated."""


class WrongOptionError(SampleLogError):
    """An option makes no sense: the ending of a file, a number, the name of a campaign."""


class CannotWriteError(SampleLogError):
    """The file cannot be written. What was there before is as it was."""


class WrongLogError(SampleLogError):
    """A log cannot be evaluated: no such file, a missing column, bytes that are no log."""
