"""Samples of a run: as arrays, and as files."""
from collections.abc import Sequence
import os
from typing import NamedTuple

import jax
import numpy as np

from msg_gan_jax.analysis.generator import picks as picked
from msg_gan_jax.analysis.generator.picks import Pick
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import Config
from msg_gan_jax.files import npy
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.sampling import renderer
from msg_gan_jax.report import grids, scatter
from msg_gan_jax.runs.load import LoadedRun, load

MOST_COLUMNS = 16  # Classes that have a column each in a grid.


class Sampling(NamedTuple):
  """What samples of a trained generator depend on, besides its weights.

  Attributes:
    seed: of the latents.
    weights: 'ema', averaged over training, or 'raw'.
    psi: truncation: 1 is none, and 0 draws the mean style. Only for networks
      that map z to styles.
    cutoff: how many of the first layers are truncated; None is all of them.
    labels: classes, repeated in this order; () is all of them in turn.
    picks: latents by seed and index, which take the place of `seed`; () is
      none. Without labels each has the class that it has among its seed's.
  """
  seed: int = 0
  weights: str = 'ema'
  psi: float = 1.
  cutoff: int | None = None
  labels: Sequence[int] = ()
  picks: Sequence[Pick] = ()


USUAL = Sampling()


def sample_run(
    run: str | os.PathLike | LoadedRun, count: int = 64,
    sampling: Sampling = USUAL, z_file: str = '') -> tuple[np.ndarray, ...]:
  """Samples a run.

  Args:
    run: its folder, for its newest checkpoint, or what `load` gives of it.
    count: how many pictures, at least 1.
    sampling: which ones; its picks take the place of `count`, too.
    z_file: a .npy file of latents [n, latent]; they take the place of `count`
      and of the seed.

  Returns:
    uint8 [n, H, W, C] for each scale, coarse to fine; or, of points of the
    plane, float [n, 1, 1, 2].

  Raises:
    ValueError: no run, no intact checkpoint, a bad z_file, bad labels, or what
      `check_truncation` raises.
  """
  config, gan, state, _ = run if isinstance(run, LoadedRun) else load(run)
  check_truncation(gan, config, sampling.psi, sampling.cutoff)
  z = latents(gan, config.networks.latent, count, sampling.seed, z_file,
              sampling.picks)
  labels = labels_for(sampling.labels, len(z), gan.classes, sampling.picks)
  return renderer(gan, data_mesh())(
      state, z, labels, sampling.weights, sampling.psi, sampling.cutoff)


def sample_run_to_files(
    run: str | os.PathLike | LoadedRun, out: str | os.PathLike, count: int = 64,
    sampling: Sampling = USUAL, z_file: str = '', *,
    separate: bool = False, scales: bool = False) -> list[str]:
  """Samples a run into a folder; returns the paths.

  Args:
    run, count, sampling, z_file: see `sample_run`.
    out, separate, scales: see `write_files`.

  Raises:
    ValueError: what `sample_run` and `write_files` raise.
  """
  run = run if isinstance(run, LoadedRun) else load(run)
  levels = sample_run(run, count, sampling, z_file)
  # A class has a column, where they come in turn and are not too many.
  classes = len(sampling.labels) or (
      0 if sampling.picks else run.config.networks.classes)
  return write_files(
      levels, out, separate, scales,
      classes if 1 < classes <= MOST_COLUMNS else None,
      [ending_of(pick) for pick in sampling.picks])


def ending_of(pick: Pick) -> str:
  """What the name of a picked picture ends in: '_seed17' or '_seed17_4'."""
  return f'_seed{pick.seed}' + f'_{pick.number}' * (pick.number > 0)


def write_files(
    levels: Sequence[np.ndarray], folder: str | os.PathLike, separate: bool,
    scales: bool, columns: int | None = None,
    endings: Sequence[str] = ()) -> list[str]:
  """Writes a grid, and single pictures if asked for; returns the paths.

  Args:
    levels: uint8 [n, H, W, C], coarse to fine; or points, float [n, 1, 1, 2],
      which become a picture and an array [n, 2].
    folder: where to; made if need be.
    separate: whether each picture has a file of its own, too.
    scales: whether every level is written, not only the finest.
    columns: of the grid; None makes it about square.
    endings: of the names of single pictures, behind their number; () is none.

  Raises:
    ValueError: `separate` or `scales` with points.
  """
  os.makedirs(folder, exist_ok=True)
  paths = []

  def save(name, array, tile=None):
    paths.append(os.path.join(folder, name))
    grids.save(paths[-1], array, tile)

  finest = levels[-1]
  if pyramid.are_points(finest.shape[1:]):
    if separate or scales:
      raise ValueError(
          f'{"separate" if separate else "scales"}: this GAN draws points of '
          'the plane, all in one picture and one array.')
    save('points.png', scatter.scatter((), finest.reshape(-1, 2)))
    paths.append(os.path.join(folder, 'points.npy'))
    np.save(paths[-1], finest.reshape(-1, 2))
    return paths
  save('grid.png', grids.grid(finest, columns), finest.shape[1])
  if scales:
    save('scales.png', grids.scales_side_by_side(levels))
  if separate:
    for level in levels if scales else (finest,):
      size = level.shape[1]
      for i, image in enumerate(level):
        save(f'{size}px_{i:05d}{endings[i] if endings else ""}.png', image)
  return paths


def labels_for(labels: Sequence[int], count: int, classes: int,
               picks: Sequence[Pick] = ()) -> np.ndarray | None:
  """int32 [count], the classes of pictures; None is all of them in turn.

  Args:
    labels: see `repeat_labels`; they go before those of the picks.
    count, classes: see `repeat_labels`.
    picks: the latents, if they are picked; see `picks.labels`.

  Raises:
    ValueError: see `repeat_labels`.
  """
  given = repeat_labels(labels, count, classes)
  return picked.labels(picks, classes) if given is None and picks else given


def repeat_labels(labels: Sequence[int], count: int,
                  classes: int) -> np.ndarray | None:
  """int32 [count], the labels again and again; None if there are none.

  Args:
    labels: classes, or ().
    count: how many are wanted.
    classes: that the GAN has.

  Raises:
    ValueError: labels out of range, or a GAN without classes.
  """
  if not len(labels):
    return None
  if not classes:
    raise ValueError(
        f'labels: {",".join(map(str, labels))}, but the GAN was trained '
        'without classes (config.networks.classes = 0).')
  for label in labels:
    if not 0 <= label < classes:
      raise ValueError(
          f'labels: {label} is not a class; wanted 0 .. {classes - 1}.')
  return np.resize(np.asarray(labels, np.int32), count)


def latents(gan: Gan, size: int, count: int, seed: int, z_file: str = '',
            picks: Sequence[Pick] = ()) -> np.ndarray:
  """z [count, size], drawn with a seed, picked, or read from a .npy file.

  Raises:
    ValueError: count is under 1; see `read_rows`.
  """
  if picks:
    return picked.latents(gan, picks)
  if not z_file:
    if count < 1:
      raise ValueError(f'count: wanted at least 1, found {count}.')
    return np.asarray(gan.draw(jax.random.key(seed), count))
  return read_rows('z_file', z_file, size)


def read_rows(name: str, path: str, size: int) -> np.ndarray:
  """float32 [n, size] of a .npy file.

  Args:
    name: what errors call the file.
    path: of the file.
    size: numbers in a row.

  Raises:
    ValueError: a file that is missing, is not an array, has another shape, or
      has numbers that are not finite.
  """
  if os.path.exists(path) and not os.path.isfile(path):
    raise ValueError(f'{name}: {path} is not a file; wanted a .npy.')
  try:
    rows = npy.load(path)
  except FileNotFoundError as error:
    raise ValueError(f'{name}: there is no file {path}.') from error
  except (ValueError, OSError, EOFError) as error:
    raise ValueError(
        f'{name}: {path} is not an array of numpy (.npy): {error}') from error
  if getattr(rows, 'ndim', 0) != 2 or rows.shape[1] != size or not len(rows):
    raise ValueError(
        f'{name}: wanted an array [n, {size}], found '
        f'{list(getattr(rows, "shape", [type(rows).__name__]))} in {path}.')
  numbers = rows.dtype.kind in 'fiu'
  if not numbers or not np.isfinite(rows).all():
    raise ValueError(
        f'{name}: wanted finite numbers, found {rows.dtype} with '
        f'{(~np.isfinite(rows)).sum() if numbers else rows.size} that are not, '
        f'in {path}.')
  return rows.astype(np.float32)


def check_truncation(gan: Gan, config: Config, psi: float,
                     cutoff: int | None) -> None:
  """Refuses a psi or a cutoff that this GAN has no use for.

  Raises:
    ValueError: no mapping network, or fewer layers than `cutoff`.
  """
  for name, value, usual in (('psi', psi, 1.), ('cutoff', cutoff, None)):
    if not gan.layers and value != usual:
      raise ValueError(
          f'{name}: {value:g}, but truncation needs a mapping network, which '
          f'config.networks.name = {config.networks.name!r} does not have; '
          f'wanted {name} to be left out.')
  if cutoff and cutoff > gan.layers:
    raise ValueError(
        f'cutoff: {cutoff}, but this GAN has {gan.layers} layers with a '
        'style.')
