"""Names and patterns of folders -> those of studies and those of runs."""
from collections.abc import Iterable
import glob
import os
from typing import Any, NamedTuple

from msg_gan_jax.study.storage import JOURNAL

LISTED = 6  # Names in a line of warning.


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


def folders(workdir: str) -> Folders:
  """Sorts folders.

  Args:
    workdir: names with commas between them; each may be a pattern such as
      'runs/a*'.

  Raises:
    ValueError: one that is neither a run nor a study, or none is there.
  """
  found, neither = Folders([], [], []), []
  for word in filter(None, (x.strip() for x in workdir.split(','))):
    word = os.path.expanduser(word)
    names = sorted(glob.glob(word)) if glob.has_magic(word) else [word]
    if not names:
      raise ValueError(f'workdir {word}: no folder has such a name.')
    for name in names:
      if os.path.isfile(os.path.join(name, JOURNAL)):
        found.studies.append(name)
      elif os.path.isfile(os.path.join(name, 'config.json')):
        found.runs.append(name)
      elif glob.has_magic(word):
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


def some(names: Iterable[Any]) -> str:
  """The first names, and how many more there are."""
  names = [*map(str, names)]
  more = len(names) - LISTED
  return ', '.join(names[:LISTED]) + (f' and {more:,} more' if more > 0 else '')
