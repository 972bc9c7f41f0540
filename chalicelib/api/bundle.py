"""The page's modules as one script, so that a browser loads one file instead of dozens.

The modules are plain ES modules. They import each other by name from ``"./name.js"`` and export functions,
classes and constants where they are declared. Other forms of import and export, and ``await`` at the top
level, are not supported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*|\bimport\(.*", re.MULTILINE)


def bundled(entry: str, modules: Mapping[str, str]) -> str:
    """The module ``entry`` with all that it imports as one script; ``modules`` are the sources by file name.

    Each module keeps a scope of its own and comes after those that it imports.

    :raises ValueError: a module imports or exports in an unsupported form, or two import each other.
    """
    return "".join(_scoped(name, modules[name]) for name in _ordered(entry, modules, ()))


def _ordered(name: str, modules: Mapping[str, str], above: tuple[str, ...]) -> list[str]:
    """The modules that ``name`` imports, each once, and ``name`` itself, in the order of the script."""
    if name in above:
        raise ValueError(f"{name} imports itself by way of {above[-1]}.")
    needed = (f"{one}.js" for _, one in _IMPORT.findall(modules[name]))
    before = [found for one in needed for found in _ordered(one, modules, (*above, name))]
    return list(dict.fromkeys([*before, name]))


def _scoped(name: str, text: str) -> str:
    exported = ", ".join(one for _, one in _EXPORT.findall(text))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(_taken, text))
    left = _LEFT_OVER.search(body)
    if left:
        raise ValueError(f"{name} cannot be bundled: {left[0]}")
    return f"const {_place(name.removesuffix('.js'))} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _taken(found: re.Match[str]) -> str:
    names, module = found.groups()
    return f"const {{ {names.replace(' as ', ': ')} }} = {_place(module)};\n"


def _place(module: str) -> str:
    return f"${module.replace('-', '_')}"
