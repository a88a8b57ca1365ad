"""TensorFlow without its start-up noise and deprecation notices; the program's own prints stay."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

from scopewatch.errors import InstallationError, message_of
from scopewatch.model.supported import is_tested, requirement, tested

_NOISE = (
    r".*`tf\.(layers|nn)\..*` is deprecated.*",
    r".*is deprecated and will be removed.*",
    r".*`(layer\.)?(apply|add_variable|updates|state_updates)`? (is|will be) .*",
    r".*np\.object.* is a deprecated alias.*",
    # From Python 3.12 on, of any fork: NumPy and TensorFlow have threads as soon as they are loaded, and so have we.
    r"This process \(pid=\d+\) is multi-threaded, use of fork\(\) .*",
)
_NATIVE = re.compile(rb"[IWE]\d{4} \d\d:\d\d:|[\d-]+ [\d:.]+: [IWE] |\t \[\[|WARNING: All log messages before absl")


def import_tensorflow(own_process: bool = True) -> None:
    """Import TensorFlow with file descriptor 2 held back; what it wrote appears only if it fails.

    Some of the noise comes from C++ before its logger is set up, so environment variables do not help.

    Args:
        own_process: nobody else's program runs here; where one does, its surroundings and its output stay.

    Raises:
        InstallationError: TensorFlow is not installed or cannot be loaded.
    """
    try:
        if own_process:
            _import_quietly()
        else:
            import tensorflow.compat.v1  # noqa: F401
    except Exception as error:  # A broken installation may raise anything: TypeError of protobuf, AttributeError.
        raise InstallationError(_why_not(error)) from None


def _why_not(error: Exception) -> str:
    remedy = f"pip install '{requirement('tensorflow')}' '{requirement('tf-keras')}'"
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        return f"TensorFlow is not installed here. Install it with: {remedy}"
    # TensorFlow puts a whole stack into the message: what happened stands in its last line but the advice.
    lines = [line.strip() for line in message_of(error).splitlines() if line.strip()]
    said = next((line for line in lines if re.match(r"\w*(Error|Exception): ", line)), lines[0] if lines else "")
    said = said[:200].removeprefix(f"{type(error).__name__}: ").rstrip(".")
    return f"TensorFlow is installed, but cannot be imported: {type(error).__name__}: {said}. Try: {remedy}"


def tensorflow_version() -> str:
    """The version of the TensorFlow that is loaded."""
    return str(getattr(importlib.import_module("tensorflow.compat.v1"), "__version__", "of an unknown version"))


def untested(version: str) -> tuple[str, ...]:
    """A note on a TensorFlow that scopewatch was not tested with; none on others."""
    if is_tested("tensorflow", version):
        return ()
    return (f"TensorFlow {version} was not tested ({tested('tensorflow')} were); try: scopewatch doctor",)


def _import_quietly() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "TF_USE_LEGACY_KERAS" not in os.environ:
        from importlib.util import find_spec

        if find_spec("tf_keras") is not None:
            os.environ["TF_USE_LEGACY_KERAS"] = "1"
    is_loaded = "tensorflow" in sys.modules
    with held_back(2):
        import tensorflow.compat.v1  # noqa: F401
    if not is_loaded:
        # Its objects live as long as the process: the collector need not look through a quarter of a million of them
        # each time that the program has made some.
        gc.freeze()
    logger = logging.getLogger("tensorflow")
    if not any(isinstance(f, _NoDeprecations) for f in logger.filters):
        logger.addFilter(_NoDeprecations())


class _NoDeprecations(logging.Filter):
    """Drops TensorFlow's deprecation notices and lets what the program logs itself pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        own = record.pathname.replace("\\", "/")
        message = str(record.msg)
        # "Object was never used" is said when the interpreter drops an op, wherever the program then stands.
        noise = "is deprecated" in message or message.startswith("From %s: ") or "Object was never used" in message
        return not (noise or own.endswith(("util/deprecation.py", "util/tf_should_use.py")))


@contextlib.contextmanager
def no_deprecation_warnings() -> Iterator[None]:
    """Python warnings of legacy Keras and TensorFlow are noise here; all others stay."""
    with warnings.catch_warnings():
        for pattern in _NOISE:
            warnings.filterwarnings("ignore", message=f"(?s){pattern}")
        for module in ("tensorflow", "tf_keras", "keras", "tf_slim"):
            warnings.filterwarnings("ignore", module=rf"{module}\b")
        yield


@contextlib.contextmanager
def own_noise_left_out() -> Iterator[None]:
    """Not what TensorFlow says of things that scopewatch does, in a process that is not its own.

    What others write to file descriptor 2 meanwhile comes a little later.
    """
    logger, notices = logging.getLogger("tensorflow"), _NoDeprecations()
    logger.addFilter(notices)
    try:
        with no_deprecation_warnings(), _without_native_lines():
            yield
    finally:
        logger.removeFilter(notices)


@contextlib.contextmanager
def _without_native_lines() -> Iterator[None]:
    """File descriptor 2 without the lines that TensorFlow's C++ logger writes."""
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    _flush_stderr()
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            _flush_stderr()
            os.dup2(saved, 2)
            kept.seek(0)
            for line in kept:
                if not _NATIVE.match(line):
                    os.write(saved, line)
            os.close(saved)


def _flush_stderr() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


@contextlib.contextmanager
def held_back(descriptor: int) -> Iterator[None]:
    """Keep what is written to a file descriptor; write it after all if the block fails, not if it is interrupted."""
    sys.stderr.flush()
    try:
        saved = os.dup(descriptor)
    except OSError:  # Closed by whoever started us: nothing can be written to it anyway.
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), descriptor)
        try:
            yield
        except Exception:
            os.dup2(saved, descriptor)
            kept.seek(0)
            os.write(descriptor, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, descriptor)
            os.close(saved)


@contextlib.contextmanager
def streams_kept() -> Iterator[None]:
    """Standard streams and descriptors are afterwards what they were, whatever a program made of them."""
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    copies = {}
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            copies[descriptor] = os.dup(descriptor)
    try:
        yield
    finally:
        for stream in {id(s): s for s in (sys.stdout, sys.stderr, *streams.values())}.values():
            with contextlib.suppress(Exception):
                stream.flush()
        for descriptor, copy in copies.items():
            with contextlib.suppress(OSError):
                os.dup2(copy, descriptor)
                os.close(copy)
        for name, stream in streams.items():
            setattr(sys, name, _open_again(name, stream) if getattr(stream, "closed", False) else stream)


def _open_again(name: str, stream: Any) -> Any:
    descriptor = ("stdin", "stdout", "stderr").index(name)
    if not descriptor:
        return stream
    encoding, errors = getattr(stream, "encoding", "utf-8"), getattr(stream, "errors", "backslashreplace")
    return open(descriptor, "w", encoding=encoding, errors=errors, closefd=False)


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[int]:
    """File descriptor 1 belongs to the report alone: all else, from C++ and children too, goes to 2.

    Yields a descriptor on which the report can be written.
    """
    sys.stdout.flush()
    saved = os.dup(1)
    stdout = sys.stdout
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield saved
    finally:
        sys.stderr.flush()
        sys.stdout = stdout
        os.dup2(saved, 1)
        os.close(saved)
