"""Walks from latent to latent, and films of them."""
import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.files import progress
from msg_gan_jax.report import figure
from msg_gan_jax.report import film as video

# Heights of a film's pictures: one alone; one scale of several, in a row.
ALONE, BESIDE = (256, 1024), (192, 256)


def linear(a, b, t):
  """(1 - t) a + t b, which is exact at both ends."""
  return (1 - t) * a + t * b


def spherical(a, b, t):
  """The arc from a to b: latents of one norm keep it on the way.

  Args:
    a, b: [..., latent].
    t: [..., 1], 0 .. 1; exact at both ends.

  Source: Shoemake 1985; for latents White 2016 (arXiv:1609.04468), sec. 2.1.
  Where a and b have one direction, or opposite ones, or one is 0, there is no
  one arc: it is the straight line.
  """
  norms = np.linalg.norm(a, axis=-1, keepdims=True) * np.linalg.norm(
      b, axis=-1, keepdims=True)
  cosine = (a * b).sum(-1, keepdims=True) / np.maximum(norms, 1e-12)
  angle = np.arccos(np.clip(cosine, -1, 1))
  sine = np.sin(angle)
  arc = (sine > 1e-4) & (norms > 0)
  sine = np.where(arc, sine, 1)
  return np.where(arc, np.sin((1 - t) * angle) / sine * a
                  + np.sin(t * angle) / sine * b, linear(a, b, t))


WAYS = tables.Table('--way', 'way', {
    'linear': linear,
    'spherical': spherical,
})


def between(stops, frames, way='linear', loop=False):
  """A walk through all stops, at the same pace from each to the next.

  Args:
    stops: [n, ...], n at least 2.
    frames: how many places on the way, at least 2.
    way: a row of WAYS.
    loop: whether it goes on from the last stop to the first, so that the frame
      after the last one is the first; else it ends at the last stop.

  Returns:
    float32 [frames, ...].
  """
  stops = np.asarray(stops, np.float64)
  n = len(stops)
  legs = n if loop else n - 1
  at = np.arange(frames) * legs / (frames if loop else frames - 1)
  leg = np.minimum(at.astype(int), legs - 1)
  t = (at - leg).reshape(-1, *(1,) * (stops.ndim - 1))
  return WAYS[way](
      stops[leg], stops[(leg + 1) % n], t).astype(np.float32)


def plan(trained, space='', way=''):
  """(space, way) of a walk, the usual ones where they are ''.

  Usual is w where there is a mapping network, by straight lines; else z, on
  arcs where its law has a norm that is kept (sphere, normal).

  Raises:
    ValueError: no mapping network, or arcs where there is no sphere.
  """
  space = space or ('w' if trained.layers else 'z')
  if space == 'w' and not trained.layers:
    raise ValueError(
        "--space: 'w', but this run has no mapping network; wanted 'z'.")
  round_law = space == 'z' and trained.law in ('sphere', 'normal')
  way = way or ('spherical' if round_law else 'linear')
  if WAYS[way] is spherical and not round_law:
    raise ValueError(
        f"--way: 'spherical' keeps a norm, and "
        f"{'w' if space == 'w' else 'z of the law ' + trained.law} has none "
        "that is its own; wanted 'linear'" +
        (", or --space=z." if space == 'w' and trained.law != 'uniform'
         else '.'))
  return space, way


def walk(trained, frames, *, z=None, w=None, labels=None, psi=1., cutoff=None,
         space='', way='', loop=True):
  """The styles of a walk, and a label for each.

  Args:
    trained: Trained.
    frames: how many pictures, at least 2.
    z, w: the stops, latents [n, latent] or w [n, width]; one of both.
    labels: int32 [n] of the stops, or None for all in turn. A walk in z stays
      in the first one's class, where there are classes.
    psi, cutoff: see Trained.truncate.
    space, way: see `plan`.
    loop: see `between`.

  Returns:
    (styles float32 [frames, ...], labels int32 [frames] or None).

  Raises:
    ValueError: fewer than 2 stops, what `plan` raises, labels that change on a
      walk in z, or w for a walk in z.
  """
  space, way = plan(trained, space, way)
  n = len(z if w is None else w)
  if n < 2:
    raise ValueError(f'--count: a walk wants at least 2 latents, found {n}.')
  if w is not None and space == 'z':
    raise ValueError("--w_file: holds w, and this is --space=z; wanted w.")
  if trained.gan.classes and labels is None:
    labels = trained.turns(n) if space == 'w' else np.zeros(n, np.int32)
  if space == 'z':
    if labels is not None and (labels != labels[0]).any():
      raise ValueError(
          '--labels: a walk in z stays in one class; wanted one, as '
          f'--labels={labels[0]}.')
    labels = None if labels is None else np.resize(labels, frames)
    styles = trained.styles(between(z, frames, way, loop), labels)
    return trained.truncate(styles, psi, cutoff), labels
  stops = trained.truncate(stops_in_w(trained, z, w, labels), psi, cutoff)
  if labels is not None:
    # Where the style knows the class, no other layer is told of it.
    labels = np.resize(labels[:1], frames)
  return between(stops, frames, way, loop), labels


def stops_in_w(trained, z, w, labels):
  """Styles [n, layers, width] of latents, or of w [n, width]."""
  if w is None:
    return trained.styles(z, labels)
  return np.repeat(w[:, None], trained.layers, 1)


def frame(levels, scales):
  """A pyramid of one latent -> uint8 [H, W, 3], a frame of a film.

  Args:
    levels: uint8 [h_i, w_i, C], coarse to fine.
    scales: whether all stand side by side, each with its height above it; else
      the finest alone.
  """
  if not scales:
    return figure.tile(levels[-1], *ALONE)
  size = figure.tile(levels[-1], *BESIDE).shape[0]
  return figure.draw(
      [figure.Band(None, [[figure.tile(x, size, size) for x in levels]])],
      above=[f'{len(x)} px' for x in levels], gap=12)


def film(path, trained, styles, labels, fps, scales=False):
  """Writes the film of a walk; the ending of the path says how."""
  pictures = trained.images(styles, labels)
  with progress.bar(
      pictures, total=len(styles), desc='Drawing', unit=' frames',
      leave=False, delay=2) as drawn:
    video.write(path, (frame(x, scales) for x in drawn), fps, len(styles))
