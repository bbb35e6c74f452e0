"""Pictures from a generator: for grids, to measure, and for --mode=sample."""
import os

import jax
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.sampling import renderer
from msg_gan_jax.report import grids, scatter
from msg_gan_jax.runs import workdir
from msg_gan_jax.runs.load import load

COLUMNS = 16  # Classes that have a column each in a grid.


def labels_of(text, count, classes):
  """int32 [count] from '3' or '0,4,7', repeated; None from ''.

  Raises:
    ValueError: no numbers, labels out of range, or a GAN without classes.
  """
  if not text:
    return None
  if not classes:
    raise ValueError(
        f'--labels: {text!r}, but this run was trained without classes '
        '(config.networks.classes = 0).')
  try:
    labels = [int(word) for word in text.split(',')]
  except ValueError as error:
    raise ValueError(
        f"--labels: wanted numbers as '3' or '0,4,7', found {text!r}."
    ) from error
  for label in labels:
    if not 0 <= label < classes:
      raise ValueError(
          f'--labels: {label} is no class; this run has 0 .. {classes - 1}.')
  return np.resize(np.int32(labels), count)


def latents(gan, size, count, seed, z_file):
  """z [count, size], from a seed or from a .npy file.

  Raises:
    ValueError: see `rows_of`.
  """
  if not z_file:
    return np.asarray(gan.draw(jax.random.key(seed), count))
  return rows_of('--z_file', z_file, size)


def rows_of(flag, path, size):
  """float32 [n, size] of a .npy file.

  Args:
    flag: what errors begin with.
    path: of the file.
    size: numbers in a row.

  Raises:
    ValueError: a file that is missing, no array, of another shape, or not
      finite.
  """
  if os.path.exists(path) and not os.path.isfile(path):
    raise ValueError(f'{flag}: {path} is no file; wanted a .npy.')
  try:
    rows = np.load(path, allow_pickle=False)
  except FileNotFoundError as e:
    raise ValueError(f'{flag}: no file {path}.') from e
  except (ValueError, OSError, EOFError) as e:
    raise ValueError(
        f'{flag}: {path} is not an array of numpy (.npy): {e}') from e
  if getattr(rows, 'ndim', 0) != 2 or rows.shape[1] != size or not len(rows):
    raise ValueError(
        f'{flag}: wanted an array [n, {size}], found '
        f'{list(getattr(rows, "shape", [type(rows).__name__]))} in {path}.')
  numbers = rows.dtype.kind in 'fiu'
  if not numbers or not np.isfinite(rows).all():
    raise ValueError(
        f'{flag}: wanted finite numbers, found {rows.dtype} with '
        f'{(~np.isfinite(rows)).sum() if numbers else rows.size} that are not, '
        f'in {path}.')
  return rows.astype(np.float32)


def check_truncation(gan, config, psi, cutoff):
  """Refuses a psi or a cutoff that this GAN has no use for.

  Raises:
    ValueError: no mapping network, or more layers than there are.
  """
  for flag, found, usual in (('psi', psi, 1.), ('cutoff', cutoff, None)):
    if not gan.layers and found != usual:
      raise ValueError(
          f'--{flag}: {found:g}, but config.networks.name = '
          f'{config.networks.name!r} has no mapping network whose mean styles '
          'could be drawn to.')
  if cutoff and cutoff > gan.layers:
    raise ValueError(
        f'--cutoff: {cutoff}, but this GAN has {gan.layers} layers with a '
        'style.')


def write(pyramid_of_images, folder, separate, scales, columns=None):
  """Writes a grid, and single pictures where asked; returns the paths.

  Args:
    pyramid_of_images: uint8 [n, H, W, C] for each level; or points, float
      [n, 1, 1, 2], which become a picture and an array [n, 2].
    folder: where to; made if need be.
    separate: also one file a picture.
    scales: every level, not only the finest.
    columns: of the grid; None makes it about square.
  """
  os.makedirs(folder, exist_ok=True)
  paths = []

  def keep(name, array, tile=None):
    paths.append(os.path.join(folder, name))
    grids.save(paths[-1], array, tile)

  finest = pyramid_of_images[-1]
  if pyramid.are_points(finest.shape[1:]):
    if separate or scales:
      raise ValueError(
          f'--{"separate" if separate else "scales"}: this run draws points '
          'of the plane, all in one picture and one array.')
    keep('points.png', scatter.scatter((), finest.reshape(-1, 2)))
    paths.append(os.path.join(folder, 'points.npy'))
    np.save(paths[-1], finest.reshape(-1, 2))
    return paths
  keep('grid.png', grids.grid(finest, columns), finest.shape[1])
  if scales:
    keep('scales.png', grids.scales_side_by_side(pyramid_of_images))
  if separate:
    for level in pyramid_of_images if scales else (finest,):
      size = level.shape[1]
      for i, image in enumerate(level):
        keep(f'{size}px_{i:05d}.png', image)
  return paths


def from_run(
    run, out, *, count=64, seed=0, z_file='', labels='', weights='ema',
    separate=False, scales=False, psi=1., cutoff=None):
  """Samples the newest checkpoint of a run into a folder; returns the paths.

  Args:
    run: the run's folder.
    out: the folder of the pictures.
    count, seed, z_file, labels, weights, psi, cutoff: see `of_run`.
    separate, scales: see `write`.

  Raises:
    ValueError: what `of_run` raises.
  """
  found = of_run(run, count, seed, z_file, labels, weights, psi, cutoff)
  turns = (labels.count(',') + 1 if labels else
           workdir.load_config(run).networks.classes)
  # A column is a class.
  return write(found, out, separate, scales, turns if (
      1 < turns <= COLUMNS) else None)


def of_run(run, count=64, seed=0, z_file='', labels='', weights='ema', psi=1.,
           cutoff=None):
  """Samples of a run's newest checkpoint, uint8 [n, H, W, C] for each scale.

  Args:
    run: the run's folder.
    count, seed: how many latents, drawn from what; z_file overrides both.
    z_file: latents [n, latent] as .npy.
    labels: classes as '3' or '0,4,7', repeated; '' is all in turn.
    weights: 'ema' or 'raw'.
    psi, cutoff: truncation, of networks that map z to styles.

  Raises:
    ValueError: no run, no intact checkpoint, a bad z_file, bad labels, or what
      `check_truncation` raises.
  """
  config, gan, state, _ = load(run)
  check_truncation(gan, config, psi, cutoff)
  z = latents(gan, config.networks.latent, count, seed, z_file)
  labels = labels_of(labels, len(z), gan.classes)
  return renderer(gan, data_mesh())(
      state, z, labels, weights, psi, cutoff)
