"""Every error that scopewatch itself raises, each with the exit status it leads to."""

from __future__ import annotations


class ScopewatchError(Exception):
    """A problem that one sentence can explain; `cli` prints it and exits with `exit_status`."""

    exit_status = 2


class UsageError(ScopewatchError):
    """The call cannot be carried out as it was written: wrong option, missing file, unknown name."""


class LogFileError(ScopewatchError):
    """A saved file (log, certificate) cannot be read: not ours, damaged, or of another version."""


class InstallationError(ScopewatchError):
    """TensorFlow, or the part of it that watching needs, is not to be had in this installation."""

    exit_status = 1


def message_of(error: BaseException) -> str:
    """An exception's message; empty where asking for it fails in turn."""
    try:
        return str(error)
    except Exception:
        return ""
