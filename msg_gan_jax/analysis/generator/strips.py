"""Strips of pictures along directions, their files and their tables."""
from collections.abc import Sequence
import os

import numpy as np

from msg_gan_jax.analysis.generator import directions
from msg_gan_jax.analysis.generator.arithmetic import points_as
from msg_gan_jax.analysis.generator.attributes import (
  PROBES,
  RANDOM,
  REACH,
  Effect,
)
from msg_gan_jax.analysis.generator.directions import Directions
from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.files import progress
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.metrics.functional.proportions import Proportion
from msg_gan_jax.report import figure, grids, lettering, tables, text

PLACES = tuple(range(-3, 4))  # Standard deviations, as in SeFa's figures.
_MOST_ROWS = 40  # Directions in the overview.


def strip(trained: Trained, points: np.ndarray, vector: np.ndarray,
          step: float, space: str, like: Latents,
          ) -> tuple[list[tuple[np.ndarray, ...]], np.ndarray]:
  """Pictures along a direction, a row for each point.

  Args:
    trained: that draws them.
    points: [n, d] where they begin.
    vector: [d], of length 1.
    step: a standard deviation.
    space: 'z' or 'w'; in z what leaves a sphere is put back on it.
    like: latents whose labels, psi and cutoff they have.

  Returns:
    (levels, coarse to fine, of each picture: n times PLACES, row by row; the
    points that were drawn, float32 [n, PLACES, d]).
  """
  moved = directions.moved(points, vector, step, PLACES)
  if space == 'z':
    moved = trained.onto_law(moved)
  labels = trained.labels_of(like)
  return list(trained.images_of(points_as(
      space, moved.reshape(-1, moved.shape[-1]),
      None if labels is None else np.repeat(labels, len(PLACES)), like))), moved


def write(folder: str | os.PathLike, trained: Trained, found: Directions,
          like: Latents, effects: Sequence[Effect] = ()) -> list[str]:
  """Writes what was found into a folder; returns the paths.

  overview.png has all directions at the first latent, NAME.png one at all
  scales and latents. NAME_z.npy or NAME_w.npy has the places of its first row,
  as --z_file and --w_file read them, and directions.npz the directions.
  changes.csv, .md and .tex, and effects.*, are tables of effects, if there are
  any.

  Args:
    folder: made if need be.
    trained: that draws them.
    found: the directions.
    like: latents to begin at, with their labels, psi and cutoff.
    effects: of the directions, and of random ones.

  Raises:
    ValueError: w for directions in z.
  """
  if like.w is not None and found.space == 'z':
    raise ValueError('w: given, but these directions are in z; wanted z.')
  os.makedirs(folder, exist_ok=True)
  points = like.values
  if found.space == 'w' and like.w is None:
    points = trained.styles(points, trained.labels_of(like))[:, 0]

  def path(name):
    return os.path.join(folder, name)

  paths, rows = [path('overview.png')], []
  with progress.bar(
      list(zip(found.names, found.vectors, found.steps, strict=True)),
      desc='Drawing', unit=' directions', leave=False, delay=2) as bar:
    for i, (name, vector, step) in enumerate(bar):
      drawn, moved = strip(trained, points, vector, float(step), found.space,
                           like)
      rows.append([figure.tile(x[-1]) for x in drawn[:len(PLACES)]])
      paths.append(path(f'{name}.png'))
      grids.save(paths[-1], _figure(found, i, drawn))
      np.save(path(f'{name}_{found.space}.npy'), moved[0])
  shown = rows[:_MOST_ROWS]
  grids.save(paths[0], figure.draw(
      [figure.Band(None, shown)],
      (f'directions in {found.space}', 'of one latent, by standard deviations'),
      above=_above(), beside=[_beside(found, i) for i in range(len(shown))]))
  paths.append(path('directions.npz'))
  with replacing(paths[-1]) as temporary, open(temporary, 'wb') as file:
    np.savez(file, names=np.array(found.names), vectors=found.vectors,
             steps=found.steps, strengths=found.strengths,
             measure=np.array(found.measure), space=np.array(found.space))
  if effects:
    paths += tables.save(effects_table(effects), path('effects'))
    paths += tables.save(changes_table(effects), path('changes'))
  return paths


def effects_table(effects: Sequence[Effect]) -> tables.Table:
  """How well each direction is told, what it does, and what else changes.

  Args:
    effects: of directions with an attribute, then the one of random ones.
  """
  *own, random = effects
  rows: list[list[tables.Cell]] = []
  for x in own:
    assert x.of and x.separates and x.before and x.after
    others = {head: change for head, change in x.changes.items()
              if head != x.of.head}
    most = max(others, key=lambda head: others[head].share, default='')
    rows.append([
        x.of.name, x.reads, _around(x.separates), x.before.share, x.after.share,
        _around(x.changes[x.of.head]), random.changes[x.of.head].share,
        most, others[most].share if most else None,
        float(np.mean([y.share for y in others.values()])) if others else None,
        float(np.mean([random.changes[head].share for head in others])) if (
            others) else None])
  return tables.Table(
      ('direction', 'read rightly', 'separates', f'has it at -{REACH:g} sd',
       f'has it at +{REACH:g} sd', 'changes it', 'random changes it',
       'most changed other', 'changes that', 'changes others, mean',
       'random changes others'),
      rows, 'Directions of a linear classifier, and what they change', (
          'read rightly: share of held-out reals of which the classifier says '
          'the factor rightly; factors below .8 are left out of the others.',
          'separates: balanced accuracy on held-out samples, .5 is a guess; in '
          'brackets 95 % intervals (of Wilson, and of Zou & Donner).',
          f'has it: share of {PROBES} held-out samples with the value at '
          f'{REACH:g} standard deviations to each side; changes: share of '
          'which the classifier says another value at one end than at the '
          f'other; random: the mean of {RANDOM} random directions.'), 3)


def changes_table(effects: Sequence[Effect]) -> tables.Table:
  """Share of pictures whose factors change: a row a direction.

  Args:
    effects: of directions, and of random ones.
  """
  heads = [*effects[0].changes]
  return tables.Table(
      ('direction', *heads),
      [[x.of.name if x.of else x.name, *(
          x.changes[head].share for head in heads)] for x in effects],
      'Share of pictures that show another value at one end of a direction '
      'than at the other', (), 2)


def _figure(found, i, drawn):
  """A direction at all scales, uint8 [H, W, 3]."""
  bands = []
  for level in range(len(drawn[0])):
    tiles = [figure.tile(x[level]) for x in drawn]
    bands.append(figure.Band(
        (f'{drawn[0][level].shape[0]} px', ''),
        [tiles[j:j + len(PLACES)] for j in range(0, len(tiles), len(PLACES))]))
  name, remark = _beside(found, i)
  return figure.draw(bands, (name, f'in {found.space}; {remark}'), _above())


def _above():
  return [f'{place:+d} sd' if place else '0' for place in PLACES]


def _beside(found, i):
  name = text.legible(text.short(found.names[i]), lettering.can_write)
  return name, f'{found.measure} {found.strengths[i]:.3g}'


def _around(x: Proportion):
  return tables.Around(x.share, x.low, x.high)
