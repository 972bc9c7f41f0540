"""Scripts that let a shell complete ``sightline``: made from the commands themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The completion script of a shell, to be saved or evaluated."""
    known = {path: (tuple(commands_of(one)), tuple(options_of(one))) for path, one in _all(parser, ())}
    if shell == "fish":
        return _fish(known)
    lines = "".join(
        f"    '{' '.join(path)}') words='{' '.join((*commands, *options))}' ;;\n"
        for path, (commands, options) in known.items()
    )
    return (_BASH if shell == "bash" else _ZSH).replace("@CASES@", lines)


def commands_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The names of a parser's commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Its long options, and the choices of its arguments."""
    for action in parser._actions:
        if action.option_strings:
            yield from (one for one in action.option_strings if one.startswith("--"))
        elif action.choices and not isinstance(action, argparse._SubParsersAction):
            yield from map(str, action.choices)


def _all(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                yield from _all(one, (*path, name))


# Both walk the line: a word that is a command of what is there so far leads further. Files are offered where
# nothing else is.
_BASH = """\
_sightline() {
  local path='' words='' word
  _sightline_words() {
    case "$1" in
@CASES@    *) return 1 ;;
    esac
  }
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    if _sightline_words "${path:+$path }$word"; then path="${path:+$path }$word"; fi
  done
  _sightline_words "$path"
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sightline sightline
"""
_ZSH = """\
#compdef sightline
_sightline() {
  local _path='' words_='' word
  _sightline_words() {
    local words
    case "$1" in
@CASES@    *) return 1 ;;
    esac
    words_="$words"
  }
  for word in "${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) continue ;; esac
    if _sightline_words "${_path:+$_path }$word"; then _path="${_path:+$_path }$word"; fi
  done
  _sightline_words "$_path"
  compadd -- ${=words_} || true
  _files
}
compdef _sightline sightline
"""


def _fish(known: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]]) -> str:
    lines = [
        "function __sightline_at",
        "  set -l path",
        "  for word in (commandline -opc)[2..-1]",
        "    string match -q -- '-*' $word; and continue",
        "    contains -- (string join ' ' $path $word) $__sightline_paths; and set path $path $word",
        "  end",
        '  test (string join " " $path) = "$argv"',
        "end",
        "set -g __sightline_paths " + " ".join(f"'{' '.join(path)}'" for path in known if path),
    ]
    for path, (commands, options) in known.items():
        at = f"complete -c sightline -n '__sightline_at {' '.join(path)}'"
        if commands:
            lines.append(f"{at} -f -a '{' '.join(commands)}'")
        for option in options:
            lines.append(f"{at} -l {option[2:]}" if option.startswith("--") else f"{at} -f -a {option}")
    return "\n".join(lines) + "\n"
