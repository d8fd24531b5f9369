"""Where in a program a queue was opened."""

import sys
from types import CodeType


def of_caller() -> str:
    """Return the place that calls the compiled function which calls this one."""
    try:
        frame = sys._getframe(1)
    except ValueError:  # a thread that runs nothing else
        return "an unknown place"
    return f"{_cell(frame.f_code) or f'{frame.f_code.co_filename}:'}{frame.f_lineno}"


def _cell(code: CodeType) -> str | None:
    """Name the cell of a notebook that code belongs to, as IPython does in tracebacks."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", None)
    name = name_of(code.co_filename) if name_of else None
    return f"{' '.join(map(str, name))}, line " if name else None
