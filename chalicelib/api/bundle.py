"""Many modules of the page as one script, so that a visit asks for one file and not for each.

The modules are plain ES modules that import each other by name from ``"./name.js"`` and export functions,
classes and constants where they are declared; nothing else of the language's modules is understood here, and
none waits at its top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*|\bimport\(.*", re.MULTILINE)


def bundled(entry: str, modules: Mapping[str, str]) -> str:
    """One script that does what the module ``entry`` does with all that it imports, given by file name.

    Each module stays in a scope of its own, behind those that it imports, under its file's name.

    :raises ValueError: a module imports or exports in another way, or two import each other.
    """
    return "".join(_scoped(name, modules[name]) for name in _ordered(entry, modules, ()))


def _ordered(name: str, modules: Mapping[str, str], above: tuple[str, ...]) -> list[str]:
    """What ``name`` needs before it, each once, and itself."""
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
