"""failed_step.json: a step whose numbers are not finite, to be repeated."""
from collections.abc import Sequence
import dataclasses
import hashlib
import itertools
import json
import pathlib
import shlex
from typing import Any, NamedTuple
import zipfile
import zlib

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.config import Config
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.data.order import Order
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import npy, plain
from msg_gan_jax.files.atomic import flush_to_disk, replacing, write_json
from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.inside import Place
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import fingerprints
from msg_gan_jax.runs.versions import versions
from msg_gan_jax.training.first_cause import Failure

FILE, ARRAYS = 'failed_step.json', 'failed_step.npz'
MOST_BYTES = 50e6  # Of arrays that are kept.
_IMAGES, _LABELS, _STATE = 'pictures.images', 'pictures.labels', 'state.'


class Origin(NamedTuple):
  """Where steps are repeated from.

  Attributes:
    images: of the checkpoint; 0 is the start of the run, which has none.
    fingerprint: of its State.
    key: words of the run's key.
    rates: {name: learning rate}.
  """
  images: int
  fingerprint: str
  key: tuple[int, ...]
  rates: dict[str, float]


class Record(NamedTuple):
  """What failed_step.json holds that a repetition needs.

  Attributes:
    origin: where to begin.
    found: real images shown where it was found that numbers are not finite.
    calls: steps of each call from the origin on, the failing one last; () where
      that one is not known.
    fingerprint: of State before the last of them.
    cause: the first of all that was not finite, or None.
    made_with: versions and devices, as in versions.json.
  """
  origin: Origin
  found: int
  calls: tuple[int, ...]
  fingerprint: str
  cause: Place | None
  made_with: dict[str, Any]


def origin_of(images: int, state: State, key: jax.Array) -> Origin:
  """The Origin that begins with a State; all processes call it."""
  return Origin(
      images, fingerprints.fingerprint(state),
      tuple(np.asarray(jax.random.key_data(key)).ravel().tolist()),
      {name: float(state.hyper[name]) for name in hyper.RATES})


def write(folder: pathlib.Path, config: Config, source: Source, origin: Origin,
          found: int, failure: Failure | None, calls: Sequence[int],
          pictures: Batch | None) -> None:
  """Writes the file, and the arrays that are small enough, or asked for.

  Args:
    folder: of the run.
    config: its settings.
    source: what it trains on.
    origin, found, calls: see Record.
    failure: what failed; None where it is not known.
    pictures: those of the failing call, if they are asked for.
  """
  arrays: dict[str, np.ndarray] = {}
  step = None
  if failure:
    leaves = fingerprints.named(failure.state, FILE)
    if sum(x.nbytes for x in leaves.values()) <= MOST_BYTES:
      arrays = {_STATE + name: np.asarray(x) for name, x in leaves.items()}
    if pictures is not None and pictures.images.nbytes <= MOST_BYTES:
      arrays |= {_IMAGES: np.asarray(pictures.images),
                 _LABELS: np.asarray(pictures.labels)}
    step = _step(failure, config, source)
  _write_arrays(folder / ARRAYS, arrays)
  write_json(folder / FILE, {
      'checkpoint': {'images': origin.images,
                     'fingerprint': origin.fingerprint},
      'found_at_images': found, 'key': origin.key, 'rates': origin.rates,
      'calls': [[steps, len([*same])]
                for steps, same in itertools.groupby(calls)],
      'step': step, 'arrays': sorted({name.split('.')[0] for name in arrays}),
      'settings': hashlib.sha256(json.dumps(
          dataclasses.asdict(config), sort_keys=True).encode()).hexdigest(),
      'data_digest': source.digest(), 'versions': versions(),
      'command': command(folder)})


def command(folder: pathlib.Path) -> str:
  """What repeats the step."""
  return ('python launch.py --mode=failed_step '
          f'--workdir={shlex.quote(str(folder))}')


def _step(failure, config, source):
  """What is said of the failing step."""
  phase = failure.call.phase
  before = failure.shown - phase.images
  first, shape = phase.reads(before, 1)
  indices, mirrored = Order(len(source), config.seed, config.data.mirror)(
      first + np.arange(shape[0] * shape[1]).reshape(shape))
  return {
      'images_before': before, 'images': failure.shown,
      'phase': phase._asdict(),
      'pictures': {
          'indices': indices.tolist(), 'mirrored': mirrored.tolist(),
          'names': _names(source, indices),
          'not_finite': [int(indices.ravel()[i])
                         for i in failure.bad_pictures]},
      'cause': {**failure.cause._asdict(), 'text': str(failure),
                'others': failure.others},
      'terms': {name: str(x) for name, x in failure.terms.items()},
      'leaves': failure.leaves,
      'fingerprint': failure.fingerprint}


def _names(source, indices):
  """What the source calls pictures; [] where they have no names."""
  try:
    return [source.where(int(i)) for i in indices.ravel()]
  except AttributeError:  # What is drawn has none.
    return []


def _write_arrays(path, arrays):
  if not arrays:
    path.unlink(missing_ok=True)
    return
  with replacing(path) as temporary:
    with open(temporary, 'wb') as file:
      np.savez(file, allow_pickle=False, **arrays)
      flush_to_disk(file)


def read(folder: pathlib.Path) -> Record:
  """What failed_step.json says.

  Raises:
    ValueError: there is none, or it is damaged.
  """
  path = folder / FILE
  if not path.is_file():
    raise ValueError(
        f'workdir {folder}: it has no {FILE}; a run writes it once numbers are '
        'not finite.')
  try:
    values = json.loads(plain.read(path, plain.MOST_JSON))
    begin, step = values['checkpoint'], values['step']
    cause = Place(**{name: step['cause'][name] for name in Place._fields}
                  ) if step else None
    str(cause)  # What cannot be said is damaged, too.
    return Record(
        Origin(int(begin['images']), str(begin['fingerprint']),
               tuple(map(int, values['key'])),
               {name: float(values['rates'][name]) for name in hyper.RATES}),
        int(values['found_at_images']),
        tuple(int(steps) for steps, count in values['calls']
              for _ in range(min(int(count), values['found_at_images']))),
        str(step['fingerprint']) if step else '',
        cause, dict(values['versions']))
  except (ValueError, LookupError, TypeError, RecursionError) as error:
    raise ValueError(
        f'{path}: damaged ({type(error).__name__}: {error}). The run in '
        f'{folder} writes it anew where it fails again.') from error


def read_state(folder: pathlib.Path, like: State) -> State | None:
  """State before the failing call; None if it was too large to be kept.

  Args:
    folder: of the run.
    like: its shapes, types and shardings.

  Raises:
    ValueError: the arrays are damaged, or of another GAN.
  """
  wanted = fingerprints.named(like, FILE)
  arrays = _read_arrays(folder / ARRAYS)
  if not any(name.startswith(_STATE) for name in arrays):
    return None
  found = {}
  for name, x in wanted.items():
    array = arrays.get(_STATE + name)
    if array is None or (array.shape, array.dtype) != (x.shape, x.dtype):
      raise ValueError(f'{folder / ARRAYS}: {name} is not that of this run.')
    found[name] = jax.device_put(array, x.sharding)
  return jax.tree.unflatten(jax.tree.structure(like), found.values())


def read_pictures(folder: pathlib.Path) -> Batch | None:
  """The pictures of the failing call; None if they were not asked for."""
  arrays = _read_arrays(folder / ARRAYS)
  return Batch(*(jnp.asarray(arrays[x]) for x in (_IMAGES, _LABELS))) if (
      {_IMAGES, _LABELS} <= arrays.keys()) else None


def _read_arrays(path):
  """{name: array} of a file; {} where there is none."""
  if not path.is_file():
    return {}
  try:
    with npy.open_archive(path) as arrays:
      return {name: arrays[name] for name in arrays}
  except (ValueError, OSError, EOFError, zipfile.BadZipFile,
          zlib.error) as error:
    raise ValueError(f'{path}: damaged ({error}).') from error
