"""Which frames of the Python stack are the program's own, and the path they form to an event."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any, NamedTuple

from scopewatch.model.events import Frame, Path

_LIBRARIES = ("tensorflow", "keras", "tf_keras", "tf_slim", "sonnet", "scopewatch", "wrapt", "absl")
_PROGRAM, _LIBRARY, _GENERATED = 0, 1, 2
_HOOKS = ("patches.py", "stand_ins.py", "observer.py")
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")
_BETWEEN = ("contextlib.py", *(os.sep + os.path.join("record", file) for file in _HOOKS))
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _library_prefixes() -> tuple[str, ...]:
    """Folders of the libraries whose frames never count as the program's."""
    prefixes = {_PACKAGE}
    for name in _LIBRARIES:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:
            prefixes.add(os.path.dirname(os.path.abspath(file)) + os.sep)
    return tuple(prefixes)


def _standard_prefixes() -> tuple[str, ...]:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return tuple({f + os.sep for f in folders} | {os.path.realpath(f) + os.sep for f in folders})


def is_installed(file: str) -> bool:
    """Whether a file stands in a folder of installed packages."""
    return f"{os.sep}site-packages{os.sep}" in file or f"{os.sep}dist-packages{os.sep}" in file


def leave_out_ours(traceback: Any) -> Any:
    """A traceback without the frames of the hooks that an exception has passed; changed in place."""
    first = traceback
    while first is not None and first.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        first = first.tb_next
    at = first
    while at is not None:
        while at.tb_next is not None and at.tb_next.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            at.tb_next = at.tb_next.tb_next
        at = at.tb_next
    return first


def _cell(file: str) -> str | None:
    """`In[3]` for the cell of a notebook that IPython compiled under this file name."""
    if "IPython" not in sys.modules:
        return None
    try:
        kind, name = sys.modules["IPython"].get_ipython().compile.format_code_name(file)
    except (AttributeError, TypeError):  # Not a cell, or no notebook.
        return None
    return str(name) if kind == "Cell" else None


def shown_file(file: str, folder: str) -> str:
    """A file as reports name it: relative to `folder` where it is below it, else absolute; of a notebook, the cell."""
    cell = _cell(file)
    if cell is not None or file.startswith("<"):
        return cell or file
    absolute = os.path.abspath(file)
    return os.path.relpath(absolute, folder) if absolute.startswith(folder + os.sep) else absolute


class Place(NamedTuple):
    """What led to a call: the number of the program's path, the files of the library frames between, innermost first.

    `by_library`: what called the hooked function belongs to a library.
    """

    path: int
    library: tuple[str, ...]
    by_library: bool

    def leads_through(self, *files: str) -> bool:
        """Whether a library file whose name ends like one of these stands between."""
        return any(file.endswith(files) for file in self.library)


class FrameReader:
    """Finds the program's own frames and gives each distinct path a number.

    Walking the frames and looking each code object up costs about 2 microseconds, a tenth of
    `tf_stack.extract_stack()`; that one is used only below code that AutoGraph generated, because
    it alone knows from which lines that code was made.
    """

    def __init__(self, scenario_folder: str) -> None:
        self.paths: list[Path] = [()]
        self.folder = os.getcwd()
        self._scenario_folder = scenario_folder + os.sep
        self._outermost: CodeType | None = None
        self._own_file = ""
        self._by_key: dict[tuple[int, ...], Place] = {}
        self._by_path: dict[Path, int] = {(): 0}
        # By identity: code objects of two files are equal where their text is. They are kept, so that none takes
        # the place of another.
        self._kinds: dict[int, int] = {}
        self._codes: list[CodeType] = []
        self._libraries = _library_prefixes()
        self._standard = _standard_prefixes()
        self._frames: dict[tuple[str, int, str], Frame] = {}

    def start_below(self, function: Callable[..., Any]) -> None:
        """Leave out whatever called this function: the program begins below it."""
        self._outermost = function.__code__

    def end_at(self, code: CodeType | None, own_file: str) -> None:
        """Leave out the frame of this code and all around it; `own_file` is the program's, whatever its name."""
        self._own_file = own_file
        if code is not None:
            self._outermost = code
            self._note_kind(code, _LIBRARY)

    def place(self, skip: int = 1) -> Place:
        """What led here; `skip` innermost frames are left out. One walk tells all: each frame met costs more than it
        seems, for between two of TensorFlow's ops nothing of this is in the processor's caches."""
        first = frame = sys._getframe(skip)
        kinds, outermost = self._kinds, self._outermost
        # Library code before the program's first frame, negative, then the program's code and how far each has come.
        key: list[int] = []
        is_before = True
        while frame is not None:
            code = frame.f_code
            number = id(code)
            kind = kinds.get(number)
            if kind is None:
                kind = self._kind(code)
            if kind == _PROGRAM:
                key.append(number)
                key.append(frame.f_lasti)
                is_before = False
            elif kind == _GENERATED:
                return self._made(first)
            elif code is outermost:
                break
            elif is_before:
                key.append(-number)
            frame = frame.f_back  # type: ignore[assignment]
        place = self._by_key.get(tuple(key))
        if place is None:
            place = self._by_key[tuple(key)] = self._made(first)
        return place

    def path(self, skip: int = 1) -> int:
        """The number of the path that led here; `skip` innermost frames are left out."""
        return self.place(skip + 1).path

    def _made(self, frame: FrameType | None) -> Place:
        """The place that a frame and those around it stand for."""
        library: list[str] = []
        own: list[Frame] = []
        kind = _LIBRARY
        while frame is not None:
            code = frame.f_code
            kind = self._kind(code)
            if kind == _PROGRAM:
                own.append(self.frame(code.co_filename, frame.f_lineno, code.co_name))
            elif kind == _GENERATED or code is self._outermost:
                break
            elif not own:
                library.append(code.co_filename)
            frame = frame.f_back
        generated = kind == _GENERATED
        path = self._mapped_path() if generated else self.number(tuple(reversed(own)))
        is_alone = not own and not generated
        return Place(path, tuple(library), is_alone or any(not file.endswith(_BETWEEN) for file in library))

    def entering(self) -> tuple[bool, int | None]:
        """Whether a library called the hook that calls this, and the line of the program that led there."""
        place = self.place(skip=2)
        path = self.paths[place.path]
        return place.by_library, path[-1].line if path else None

    def is_program_file(self, file: str) -> bool:
        """Whether code of this file counts as the program's."""
        if file == self._own_file or file.startswith((self._scenario_folder, "<ipython-input-")):
            return True
        if file.startswith((*self._libraries, "<")):
            return False
        return is_installed(file) or not file.startswith(self._standard)

    def frame(self, file: str, line: int, function: str) -> Frame:
        """The one `Frame` of this file, line and function."""
        key = (file, line, function)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = Frame(shown_file(file, self.folder), line, function)
        return frame

    def number(self, path: Path) -> int:
        """The number under which a path is kept."""
        index = self._by_path.get(path)
        if index is None:
            joined = self._comprehensions_joined(path)
            index = self._by_path[path] = self._by_path.setdefault(joined, len(self.paths))
            if index == len(self.paths):
                self.paths.append(joined)
        return index

    def _comprehensions_joined(self, path: Path) -> Path:
        """From Python 3.12 on a comprehension runs in the frame of the function around it; so it does here, always."""
        joined: list[Frame] = []
        for frame in path:
            if frame.function in _COMPREHENSIONS and joined:
                joined[-1] = replace(frame, function=joined[-1].function)
            else:
                joined.append(frame)
        return tuple(joined)

    def path_of_traceback(self, traceback: Any) -> int:
        """The path of the program's own frames in an exception's traceback."""
        frames: list[Frame] = []
        while traceback is not None:
            code = traceback.tb_frame.f_code
            if code is self._outermost:
                frames.clear()
            elif self._kind(code) == _PROGRAM:
                frames.append(self.frame(code.co_filename, traceback.tb_lineno, code.co_name))
            traceback = traceback.tb_next
        return self.number(tuple(frames))

    def path_of_stack(self, stack: Any) -> int:
        """The path of the program's own frames in a stack that TensorFlow extracted."""
        frames: list[Frame] = []
        start = self._outermost
        for f in stack:
            if start is not None and f.name == start.co_name and f.filename == start.co_filename:
                frames.clear()
            elif self.is_program_file(f.filename):
                frames.append(self.frame(f.filename, f.lineno, f.name))
        return self.number(tuple(frames))

    def _mapped_path(self) -> int:
        from tensorflow.python.util import tf_stack

        extract: Callable[[], Any] = tf_stack.extract_stack
        return self.path_of_stack(f for f in extract() if "__autograph_generated_file" not in f.filename)

    def _kind(self, code: CodeType) -> int:
        kind = self._kinds.get(id(code))
        if kind is None:
            file = code.co_filename
            if "__autograph_generated_file" in file:
                kind = _GENERATED
            else:
                kind = _PROGRAM if self.is_program_file(file) else _LIBRARY
            self._note_kind(code, kind)
        return kind

    def _note_kind(self, code: CodeType, kind: int) -> None:
        self._kinds[id(code)] = kind
        self._codes.append(code)
