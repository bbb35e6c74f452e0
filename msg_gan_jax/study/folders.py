"""Names and patterns of folders -> those of studies and those of runs."""
from collections.abc import Iterable
import glob
import os
from typing import Any, NamedTuple

from msg_gan_jax.study.storage import JOURNAL

LISTED = 6  # Names in a line of warning.
Names = str | os.PathLike | Iterable[str | os.PathLike]


class Folders(NamedTuple):
  """Folders, in the order in which they were named.

  Attributes:
    studies: that have a journal.
    runs: that have a config.json.
    notes: what a pattern found beside them, in words.
  """
  studies: list[str]
  runs: list[str]
  notes: list[str]


def folders(workdir: Names) -> Folders:
  """Sorts folders.

  Args:
    workdir: names with commas between them; each may be a pattern such as
      'runs/a*', unless there is a folder of just that name. A path, or several
      names, are taken as they are: a comma in them is one of the name.

  Raises:
    ValueError: one that is neither a run nor a study, or none is there.
  """
  found, neither = Folders([], [], []), []
  for word in map(os.path.expanduser, filter(None, _words(workdir))):
    is_pattern = glob.has_magic(word) and not os.path.isdir(word)
    names = sorted(glob.glob(word)) if is_pattern else [word]
    if not names:
      raise ValueError(f'workdir {word}: no folder has such a name.')
    for name in names:
      if os.path.isfile(os.path.join(name, JOURNAL)):
        found.studies.append(name)
      elif os.path.isfile(os.path.join(name, 'config.json')):
        found.runs.append(name)
      elif is_pattern:
        neither.append(name)
      else:
        raise ValueError(
            f'workdir {name}: neither a study, which has a {JOURNAL}, nor a '
            'run, which has a config.json.')
  if neither:
    found.notes.append(
        f'Neither a study nor a run, and left out: {some(neither)}.')
  if not found.studies and not found.runs:
    raise ValueError(f'workdir {workdir}: no study and no run is there.')
  return found


def _words(workdir):
  if isinstance(workdir, str):
    return [x.strip() for x in workdir.split(',')]
  try:
    return [os.fspath(x) for x in (
        [workdir] if isinstance(workdir, os.PathLike) else workdir)]
  except TypeError:
    raise ValueError(
        'workdir: wanted the name of a folder, or several, found '
        f'{workdir!r}.') from None


def some(names: Iterable[Any]) -> str:
  """The first names, and how many more there are."""
  names = [*map(str, names)]
  more = len(names) - LISTED
  return ', '.join(names[:LISTED]) + (f' and {more:,} more' if more > 0 else '')
