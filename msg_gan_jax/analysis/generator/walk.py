"""Walks from latent to latent, and films of them."""
from collections.abc import Sequence
import dataclasses
import os
from typing import Protocol

import jax
import numpy as np

from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.config import tables
from msg_gan_jax.files import progress
from msg_gan_jax.report import figure, film

# (least, most) pixels in the height of a film's pictures.
ALONE, SIDE_BY_SIDE = (256, 1024), (192, 256)
BETWEEN = 'z', 'class', 'both'  # What changes from stop to stop.


class Way(Protocol):
  """How a walk goes from one stop to the next."""

  def __call__(self, a: np.ndarray, b: np.ndarray,
               t: np.ndarray | float) -> np.ndarray:
    """The place at share t of the way from a to b, [..., n]."""


def linear(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
  """(1 - t) a + t b, which is exact at both ends.

  Source: linear interpolation, which is usual in w.
  """
  return (1 - t) * a + t * b


def spherical(a: np.ndarray, b: np.ndarray,
              t: np.ndarray | float) -> np.ndarray:
  """The arc from a to b: latents of one norm keep it on the way.

  Where a and b have one direction, or opposite ones, or one is 0, there is not
  one arc: there it is the straight line.

  Args:
    a, b: [..., latent].
    t: [..., 1], 0 .. 1; exact at both ends.

  Source: Shoemake 1985; for latents White 2016 (arXiv:1609.04468), sec. 2.1.
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


def interpolate(stops: np.ndarray, frames: int, way: str = 'linear',
                loop: bool = False) -> np.ndarray:
  """A walk through all stops, at the same pace from each to the next.

  Args:
    stops: [n, ...], n at least 2.
    frames: how many places on the way, at least 2.
    way: a row of WAYS.
    loop: whether it goes on from the last stop to the first, so that the frame
      after the last one would be the first; else it ends at the last stop.

  Returns:
    float32 [frames, ...].

  Raises:
    ValueError: fewer than 2 stops or frames, or an unknown way.
  """
  stops = np.asarray(stops, np.float64)
  n = len(stops)
  for name, count in (('stops', n), ('frames', frames)):
    if count < 2:
      raise ValueError(f'{name}: wanted at least 2, found {count}.')
  legs = n if loop else n - 1
  place = np.arange(frames) * legs / (frames if loop else frames - 1)
  leg = np.minimum(place.astype(int), legs - 1)
  t = (place - leg).reshape(-1, *(1,) * (stops.ndim - 1))
  return WAYS.look_up(way)(
      stops[leg], stops[(leg + 1) % n], t).astype(np.float32)


def space_and_way(trained: Trained, space: str = '',
                  way: str = '') -> tuple[str, str]:
  """(space, way) of a walk, the usual ones where they are ''.

  Usual is w where there is a mapping network, by straight lines; else z, on
  arcs if z has a sphere to stay on (its law is sphere or normal).

  Raises:
    ValueError: another space or way, no mapping network, or arcs where there
      is no sphere.
  """
  space = trained.space_of(space)
  law = trained.latent_law
  has_norm = space == 'z' and law in ('sphere', 'normal')
  way = way or ('spherical' if has_norm else 'linear')
  if WAYS.look_up(way) is spherical and not has_norm:
    raise ValueError(
        "way: 'spherical' needs latents on a sphere, and "
        f"{'w' if space == 'w' else f'z of the law {law!r}'} is not on one; "
        "wanted 'linear'" +
        (', or space=z.' if space == 'w' and law != 'uniform' else '.'))
  return space, way


def stops(trained: Trained, latents: Latents, space: str,
          between: str = '') -> Latents:
  """The stops of a walk: latents, and the class of each.

  Args:
    trained: the generator to walk through.
    latents: one for each stop, with its label; None is all classes in turn.
    space: of the walk, 'z' or 'w'.
    between: what changes from stop to stop: 'z', and the class stays; 'class',
      and the first z stays; 'both'; or '', which is both in w, and z in z.

  Returns:
    Latents, whose labels are None only where there are no classes.

  Raises:
    ValueError: another `between`, labels that change although the class stays,
      or that do not although it changes, no classes, or w, which has its class
      in it.
  """
  if between not in ('', *BETWEEN):
    raise ValueError(f"between: wanted 'z', 'class' or 'both', found "
                     f'{between!r}.')
  if between in ('class', 'both'):
    return _between_classes(trained, latents, between)
  labels = trained.labels_of(latents) if space == 'w' and not between else (
      trained.labels_of_one_class(latents, 'a walk', ', or between=both'))
  return dataclasses.replace(latents, labels=labels)


def _between_classes(trained, latents, between):
  """`stops` whose classes differ."""
  labels = trained.labels_of(latents)
  if labels is None:
    raise ValueError(
        f'between: {between!r}, but the GAN was trained without classes '
        "(config.networks.classes = 0); wanted 'z'.")
  if latents.w is not None:
    raise ValueError('w: given, but w has its class in it, which between='
                     f'{between} changes; wanted z.')
  if (labels == labels[0]).all():
    raise ValueError(
        f'labels: between={between} walks from one class to another, and all '
        f'stops are of class {labels[0]}; wanted two classes or more.')
  if between == 'both':
    return dataclasses.replace(latents, labels=labels)
  return dataclasses.replace(
      latents, z=np.repeat(latents.values[:1], len(latents), 0), labels=labels)


def styles_on_walk(
    trained: Trained, frames: int, latents: Latents, *, space: str = '',
    way: str = '', loop: bool = True, between: str = '',
) -> tuple[np.ndarray, np.ndarray | None]:
  """The styles of a walk, and a label for each.

  From class to class a walk in z mixes what G has learned of each: the vector
  of the class, or its scales and shifts, in equal steps. A walk in w goes
  straight from style to style, each of its class.

  Args:
    trained: the generator to walk through.
    frames: how many pictures, at least 2.
    latents: the stops.
    space, way: see `space_and_way`.
    loop: see `interpolate`.
    between: see `stops`.

  Returns:
    (styles float32 [frames, ...], labels of each as Latents has them, or None).

  Raises:
    ValueError: fewer than 2 stops, what `space_and_way` and `stops` raise, w
      for a walk in z, or a generator that takes whole classes alone.
  """
  space, way = space_and_way(trained, space, way)
  if latents.w is not None and space == 'z':
    raise ValueError('w: given, but space=z walks through latents; wanted z.')
  latents = stops(trained, latents, space, between)
  if len(latents) < 2:
    raise ValueError(
        f'latents: a walk needs at least 2, found {len(latents)}.')
  labels = latents.labels
  if space == 'w':
    places = trained.truncate(
        trained.styles_of(latents), latents.psi, latents.cutoff)
    # The style knows the class, and no other layer is told of it.
    return interpolate(places, frames, way, loop), (
        None if labels is None else np.resize(labels[:1], frames))
  if labels is not None and (labels != labels[0]).any():
    check_shares(trained)
    labels = interpolate(
        np.eye(trained.gan.classes)[labels], frames, 'linear', loop)
  elif labels is not None:
    labels = np.resize(labels, frames)
  styles = trained.styles(
      interpolate(latents.values, frames, way, loop), labels)
  return trained.truncate(styles, latents.psi, latents.cutoff), labels


def check_shares(trained: Trained) -> None:
  """Refuses a generator whose own layers do not take shares of classes.

  Raises:
    ValueError: says why it does not.
  """
  gan, weights = trained.gan, trained.weights

  def one(z, shares):
    w = gan.latents(trained.state, z, shares, weights=weights)
    return gan.synthesize(trained.state, w, shares, weights=weights)

  z = gan.draw(jax.random.key(0), 1)
  shares = jax.ShapeDtypeStruct((1, gan.classes), np.float32)
  try:
    jax.eval_shape(one, z, shares)
  except Exception as error:  # Layers of the user's own may raise anything.
    first = str(error).strip().partition('\n')[0]
    raise ValueError(
        'trained: this generator takes whole classes alone, and nothing lies '
        f'between them for a walk in z: {type(error).__name__}: {first} Wanted '
        'layers that take shares of classes, float32 [B, classes], as those of '
        'gan.networks do, or between=z.') from error


def frame(levels: Sequence[np.ndarray], scales: bool) -> np.ndarray:
  """The pictures of one latent -> uint8 [H, W, 3], a frame of a film.

  Args:
    levels: uint8 [h_i, w_i, C], coarse to fine.
    scales: whether all stand side by side, each with its height above it; else
      the finest alone.
  """
  if not scales:
    return figure.tile(levels[-1], *ALONE)
  size = figure.tile(levels[-1], *SIDE_BY_SIDE).shape[0]
  return figure.draw(
      [figure.Band(None, [[figure.tile(x, size, size) for x in levels]])],
      above=[f'{len(x)} px' for x in levels], gap=12)


def write_film(path: str | os.PathLike, trained: Trained, styles: np.ndarray,
               labels: np.ndarray | None, fps: float,
               scales: bool = False) -> None:
  """Writes the film of a walk.

  Args:
    path: of the file, whose ending is one of film.FORMATS.
    trained: that draws it.
    styles, labels: of each frame, as `styles_on_walk` returns them.
    fps: frames a second.
    scales: see `frame`.
  """
  pictures = trained.images(styles, labels)
  with progress.bar(
      pictures, total=len(styles), desc='Drawing', unit=' frames',
      leave=False, delay=2) as drawn:
    film.write(path, (frame(levels, scales) for levels in drawn), fps,
               len(styles))


WAYS = tables.Table[Way]('way', 'way', {
    'linear': linear,
    'spherical': spherical,
})
