"""A study as its storage has it, read and not changed."""
from collections.abc import Callable, Mapping, Sequence
import os
from typing import Any, NamedTuple

from msg_gan_jax.config import tables
from msg_gan_jax.files.optional import require
from msg_gan_jax.study.storage import open_storage, without_password
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.work import Trial


class Stored(NamedTuple):
  """A study in a storage.

  Attributes:
    definition: see study/definition.py.
    trials: the newest word on each piece of work.
    raw: {number: Optuna's own trial}, which knows when it began.
    whole: whether it will have no other trials, as it is defined now.
  """
  definition: Mapping[str, Any]
  trials: Sequence[Trial]
  raw: Mapping[int, Any]
  whole: bool


def read_stored(folder: str | os.PathLike, address: str = '',
                name: str = '',
                say: Callable[[str], Any] | None = None) -> Stored:
  """Reads a study.

  Args:
    folder: of the study.
    address: of a database; '' is the journal in the folder.
    name: of the study in the storage; '' is the only one there.
    say: see `open_storage`.

  Raises:
    ValueError: no study, several of which none is named, or one of another
      program.
  """
  optuna: Any = require('optuna', 'a study')
  storage = open_storage(folder, address, readonly=True, say=say)
  names = optuna.get_all_study_names(storage)
  place = f'storage {without_password(address)}' if address else (
      f'workdir {folder}')
  if not names:
    raise ValueError(f'{place}: no study is there.')
  if name and name not in names:
    raise ValueError(f'study_name: no study {name!r} in the storage; '
                     + tables.nearest(name, names))
  if not name and len(names) > 1:
    raise ValueError(f'study_name: the storage has {", ".join(names)}; wanted '
                     f'one of them, such as study_name={names[0]}.')
  queue = Queue(storage, name=name or names[0], create=False)
  definition = queue.study.user_attrs.get('definition')
  if not definition:
    raise ValueError(
        f'{place}: {name or names[0]!r} is a study of another program; wanted '
        'one of --mode=study.')
  trials = queue.trials()  # First: of each of them there is a raw one.
  raw = {trial.number: trial for trial in queue.study.get_trials(
      deepcopy=False)}
  return Stored(definition, trials, raw, queue.is_whole())
