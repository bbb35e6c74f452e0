"""The names of a run's classes: kept in its folder, and looked up."""
from collections.abc import Iterator, Sequence
import csv
import json
import os
import pathlib
import re

from msg_gan_jax.config import tables
from msg_gan_jax.files import plain
from msg_gan_jax.files.atomic import write_json

FILE = 'classes.json'
NAME = 'name:'  # Before a name that could be taken for a number.
_LISTED = 600   # Characters of all names that an error lists.


def changes(folder: pathlib.Path, names: Sequence[str]) -> str:
  """A line for people where a run knew other names of its classes, else ''.

  Args:
    folder: of the run.
    names: of the classes, by number; () if there are none.
  """
  changed = [f'{old!r} -> {new!r}' for old, new in zip(
      read(folder), _writable(names), strict=False) if old != new]
  return f'{FILE}: {", ".join(changed[:4])}{", ..." * (len(changed) > 4)}' if (
      changed) else ''


def keep(folder: pathlib.Path, names: Sequence[str]) -> None:
  """Writes the names of the classes that a run learns; see `changes`."""
  if names and read(folder) != _writable(names):
    write_json(folder / FILE, [*_writable(names)])


def read(workdir: str | os.PathLike) -> tuple[str, ...]:
  """The names of a run's classes, by number.

  () of a run that was begun before it kept them, or has no classes.
  """
  path = pathlib.Path(workdir).expanduser() / FILE
  try:
    names = json.loads(plain.read(path, plain.MOST_JSON))
  except (OSError, ValueError):
    return ()
  return tuple(map(str, names)) if isinstance(names, list) else ()


def numbers(text: str, names: Sequence[str], count: int) -> tuple[int, ...]:
  """Classes as a person writes them, 'dog,cat' or '3,dog', -> their numbers.

  Args:
    text: numbers and names with commas between them. A whole number is that of
      a class, also where it is the name of another: that one is 'name:3'. A
      name with a comma stands in double quotes, as in a CSV file.
    names: of the classes, by number; () if they have none on record.
    count: how many classes there are.

  Returns:
    A number for each word; whether there is such a class is not looked at.

  Raises:
    ValueError: a name that no class has, or that several have.
  """
  return tuple(_number(word, names, count) for word in _words(text))


def mistakable(text: str, names: Sequence[str]) -> Iterator[tuple[int, str]]:
  """Yields (number, word) of numbers that name another class than they are."""
  for word in _words(text):
    if _is_number(word) and word in names and names.index(word) != int(word):
      yield int(word), word


def spelled(name: str) -> str:
  """A name as `numbers` understands it: in quotes, or behind 'name:'."""
  word = f'{NAME}{name}' if _is_number(name) or name.startswith(NAME) else name
  if not re.search('[,"\\r\\n]', word):
    return word
  quoted = word.replace('"', '""')
  return f'"{quoted}"'


def _writable(names):
  """Names of folders may have bytes that are no text."""
  return tuple(
      name.encode(errors='backslashreplace').decode() for name in names)


def _words(text):
  try:
    rows = [*csv.reader([text], skipinitialspace=True, strict=True)]
  except csv.Error as error:
    raise ValueError(
        f'labels: wanted classes with commas between them, found {text!r} '
        f'({error}).') from error
  return [word.strip() for row in rows for word in row]


def _is_number(word):
  return re.fullmatch(r'[+-]?\d+', word, re.ASCII) is not None


def _number(word, names, count):
  if _is_number(word):
    return int(word)
  name = word.removeprefix(NAME)
  stripped = [known.strip() for known in names]
  found = [i for i, known in enumerate(stripped) if known == name]
  if len(found) == 1:
    return found[0]
  if found:
    raise ValueError(
        f'labels: {name!r} are the classes {" and ".join(map(str, found))}; '
        'wanted a number.')
  raise ValueError(f'labels: {_unknown(name, names, count)}')


def _unknown(name, names, count):
  if not count:
    return (f'{name!r}, but the GAN was trained without classes '
            '(config.networks.classes = 0).')
  if not names:
    return (f'{name!r}, but this run has no names of its classes on record; '
            f'wanted numbers, 0 .. {count - 1}.')
  close = tables.begun(name, names) or [
      *filter(None, [tables.closest(name, names)])]
  hint = f'did you mean {tables.one_of(close)}? ' if close else ''
  known = ','.join(map(spelled, names))
  return f'no class {name!r}; {hint}' + (
      f'Known: {known}.' if len(known) <= _LISTED else
      f"The {len(names)} that there are stand in {FILE} of the run's folder.")
