"""Errors name arguments in Python, flags and settings on the command line.

A library function says `real: 1 picture; wanted at least 2.`, or `wanted one
size, such as resolution=64.` The same words reach someone at a shell as
`--real: ...` and `--resolution=64`: a name is replaced at the beginning of the
text, and wherever `=` follows it.
"""
from collections.abc import Iterator, Mapping
import contextlib
import re
import shlex

_QUOTES = '\'"'
# config.NAME=VALUE, as one writes it in Python.
_SETTING = r"""config\.([\w.]+)=('[^']*'|"[^"]*"|[\w:\-]+(?:\.\w+)*)"""


def renamed(text: str, names: Mapping[str, str]) -> str:
  """A text with arguments called by other names.

  Args:
    text: what an error says.
    names: {argument: what the reader calls it}, such as {'real': '--real'}.
      Keys may have dots, such as 'config.data.path'. Where a text begins with
      a folder, 'workdir runs/a: ', a flag has it as its value.
  """
  if not names:
    return text
  known = '|'.join(map(re.escape, sorted(names, key=len, reverse=True)))
  if names.get('workdir', '').startswith('--'):
    text = re.sub('^workdir (.+?)(?=: )', lambda m: (
        f'{names["workdir"]}={shlex.quote(m[1])}'), text)
  text = re.sub(rf'^({known})(?=: | .+?: )', lambda m: names[m[1]], text)
  return re.sub(
      rf'(?<![\w.\-/])({known})(?==)', lambda m: names[m[1]], text)


def as_flags(text: str) -> str:
  """A text whose advice about settings can be typed at a shell.

  "set config.data.on_bad='skip'" -> 'set --config.data.on_bad=skip'.
  """
  return re.sub(rf'(?<![\w.\-/]){_SETTING}', lambda m: (
      f'--config.{m[1]}={shlex.quote(m[2].strip(_QUOTES))}'), text)


def without_settings(text: str) -> str:
  """A text without advice to set what cannot be set here.

  "Remove it, or set config.data.on_bad='skip'." -> 'Remove it.'
  """
  return re.sub(rf',? (?:or|and) set {_SETTING}', '', text)


def kind(error: BaseException) -> str:
  """The name of an error's class; of classes of ours, what Python calls it."""
  ours = __name__.partition('.')[0]
  return next(cls.__name__ for cls in type(error).__mro__
              if cls.__module__.partition('.')[0] != ours)


@contextlib.contextmanager
def naming(names: Mapping[str, str] | None = None,
           **more: str) -> Iterator[None]:
  """A context whose ValueErrors call arguments by other names.

  Args:
    names, more: see `renamed`.
  """
  try:
    yield
  except ValueError as error:
    if len(error.args) == 1:  # A UnicodeDecodeError has five.
      error.args = renamed(str(error), {**(names or {}), **more}),
    raise
