"""Which times a run went back to a checkpoint and took another way from there.

rollbacks.json has those that the run is built on. Where it goes back further
than one of them, as from a damaged checkpoint to an older one, that one is
forgotten, as records are. changes.jsonl forgets none.
"""
from collections.abc import Sequence
import json
import math
import pathlib
from typing import NamedTuple

from msg_gan_jax.files import plain
from msg_gan_jax.files.atomic import write_json
from msg_gan_jax.runs.lines import is_there

FILE = 'rollbacks.json'


class Rollback(NamedTuple):
  """One of them.

  Attributes:
    found: real images shown where numbers were found that are not finite.
    images: those of the checkpoint that the run went back to; 0 is its start.
    rate: what both learning rates were multiplied by.
  """
  found: int
  images: int
  rate: float


def read(folder: pathlib.Path) -> tuple[Rollback, ...]:
  """Those of a run, oldest first.

  Raises:
    ValueError: a file that is damaged: without it the run would take a way of
      its own.
  """
  path = folder / FILE
  if not is_there(path):
    return ()
  try:
    values = json.loads(plain.read(path, plain.MOST_JSON))
    return tuple(Rollback(
        int(x['found']), int(x['images']), float(x['rate'])) for x in values)
  except (ValueError, LookupError, TypeError, RecursionError) as error:
    raise ValueError(
        f'{path}: damaged ({type(error).__name__}: {error}); wanted a list of '
        "{'found', 'images', 'rate'}. Restore it from a copy; the lines of "
        'changes.jsonl have the same numbers.') from error


def write(folder: pathlib.Path, rollbacks: Sequence[Rollback]) -> None:
  """Puts them in place of those that were there."""
  write_json(folder / FILE, [x._asdict() for x in rollbacks])


def rate(rollbacks: Sequence[Rollback]) -> float:
  """What all of them have multiplied both learning rates by."""
  return math.prod(x.rate for x in rollbacks)
