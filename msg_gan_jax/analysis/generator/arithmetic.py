"""Arithmetic of latents: means of examples, added and taken away.

Source: Radford et al. 2016 (arXiv:1511.06434), sec. 6.3.2 and fig. 7.
"""
from collections.abc import Sequence
import dataclasses
import re
from typing import NamedTuple

import jax
import numpy as np

from msg_gan_jax.analysis.generator import picks as picked
from msg_gan_jax.analysis.generator.picks import Pick
from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.report import figure

NOISE = .25  # Half the width of the neighbourhood, as in the paper.
SIDE = 3  # Of the square of neighbours; the result is in the middle.
SPREAD_OF = 1000  # Styles whose deviation the noise in w is measured by.
_SHOWN = 6  # Examples of a term that the figure shows: the first ones.
_LONGEST = 12  # Characters that fit over a column.
_SIGNS = {'+': 1, '-': -1}


class Term(NamedTuple):
  """A mean of examples that is added or taken away.

  Attributes:
    sign: 1 or -1.
    picks: of the examples.
    text: as a person wrote it, without the sign.
  """
  sign: int
  picks: tuple[Pick, ...]
  text: str


class Sum(NamedTuple):
  """What came of terms, in z or w.

  Attributes:
    examples: [n_i, d] of each term.
    means: [terms, d].
    around: [9, d], row by row: the result in the middle, [4], and itself with
      noise at the other places.
    space: 'z' or 'w'.
    labels: of the examples, int32 [n_i] of each term; None without classes.
    like: psi and cutoff of the pictures.
  """
  examples: list[np.ndarray]
  means: np.ndarray
  around: np.ndarray
  space: str
  labels: list[np.ndarray] | None
  like: Latents

  @property
  def result(self) -> np.ndarray:
    """The sum, [d]."""
    return self.around[len(self.around) // 2]


def parse(text: str) -> tuple[Term, ...]:
  """Terms as a person writes them, '3,17,42 - 5,6,7 + 8,9,10'.

  Args:
    text: latents as `picks.parse` reads them, with + or - between the terms,
      which have a space on each side; the first may have a sign before it.

  Raises:
    ValueError: no latents where a term should be, or what `picks.parse` raises.
  """
  signs = re.findall(r'(?:^\s*|\s)([+-])\s', text)
  words = re.split(r'(?:^\s*|\s)[+-]\s', text)
  if re.match(r'\s*[+-]\s', text):
    words = words[1:]
  else:
    signs = ['+', *signs]
  terms = []
  for sign, word in zip(signs, words, strict=True):
    if not word.strip():
      raise ValueError(
          'terms: wanted latents before and behind each sign, such as '
          f"'3,17,42 - 5,6,7 + 8,9,10', found {text!r}.")
    terms.append(Term(_SIGNS[sign], picked.parse(word, 'terms'), word.strip()))
  return tuple(terms)


def combine(signs: Sequence[int],
            examples: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
  """(means [terms, d], their sum with the signs [d]), float32.

  Sums are taken in float64 and in the order of the terms, so that a - a + a is
  a, bit for bit.

  Args:
    signs: 1 or -1 for each term.
    examples: [n_i, d] of each term.
  """
  means = np.stack([np.mean(x, 0, np.float64) for x in examples])
  result = np.sum([s * x for s, x in zip(signs, means, strict=True)], 0)
  return means.astype(np.float32), result.astype(np.float32)


def neighbours(centre: np.ndarray, noise: np.ndarray | float,
               seed: int = 0) -> np.ndarray:
  """A point and eight others around it, float32 [9, d]; it is [4].

  Args:
    centre: [d].
    noise: to each number of the others one is added that is uniform in
      [-noise, noise]; one for all, or [d].
    seed: of the noise.
  """
  random = np.random.default_rng(seed)
  moved = centre + noise * random.uniform(-1, 1, (SIDE**2, len(centre)))
  moved[SIDE**2 // 2] = centre
  return moved.astype(np.float32)


def add(trained: Trained, terms: Sequence[Term], like: Latents,
        space: str = '', noise: float = NOISE, seed: int = 0) -> Sum:
  """Means of examples, added and taken away, and the sum's neighbourhood.

  In w, whose numbers have no scale of their own, the noise is in standard
  deviations of each number. Where z has a sphere, all that is drawn is put back
  on it, which the paper, whose z fills a cube, has no need of.

  Args:
    trained: the generator.
    terms: see `parse`.
    like: the latents z of all terms' picks, one after the other, with labels,
      psi and cutoff.
    space: 'z', as in the paper, or 'w'; '' is w if there is a mapping network.
    noise: see `neighbours`.
    seed: of the noise.

  Raises:
    ValueError: another space, w without a mapping network, or, in z, examples
      of several classes.
  """
  space = trained.space_of(space)
  points = like.values
  if space == 'w':
    labels = trained.labels_of(like)
    points = trained.styles(points, labels)[:, 0]
    noise = noise * _deviation(trained)
  else:
    labels = trained.labels_of_one_class(like, 'a sum')
  ends = np.cumsum([len(term.picks) for term in terms])[:-1]
  examples = np.split(points, ends)
  means, result = combine([term.sign for term in terms], examples)
  around = neighbours(result, noise, seed)
  if space == 'z':
    means, around = trained.onto_law(means), trained.onto_law(around)
  return Sum(examples, means, around, space,
             None if labels is None else np.split(labels, ends), like)


def points_as(space: str, points: np.ndarray, labels: np.ndarray | None,
              like: Latents) -> Latents:
  """Points [n, d] of a space as Latents, truncated as others are.

  Args:
    space: 'z' or 'w'.
    points: of it.
    labels: int32 [n], or None.
    like: whose psi and cutoff they have.
  """
  return dataclasses.replace(
      like, labels=labels, z=points if space == 'z' else None,
      w=points if space == 'w' else None)


def sum_figure(trained: Trained, terms: Sequence[Term], found: Sum,
               scales: bool = False) -> np.ndarray:
  """The figure of a sum, uint8 [H, W, 3].

  A column for each term: its examples, the first six, and their mean at the
  foot; right of them the result amid its neighbours.

  Args:
    trained: that draws it.
    terms, found: as `add` took and returned them.
    scales: whether it is drawn at every scale, coarse to fine, or at the finest
      alone.

  Source: Radford et al. 2016, fig. 7.
  """
  shown = [x[:_SHOWN] for x in found.examples]
  counts = [len(x) for x in shown]
  points = np.concatenate([*shown, found.means, found.around])
  labels = None
  if found.labels is not None:
    # In w they are in the style; in z there is but one.
    label = found.labels[0][:1]
    labels = np.concatenate([
        *(x[:_SHOWN] for x in found.labels),
        np.resize(label, len(found.means) + len(found.around))])
  drawn = list(trained.images_of(
      points_as(found.space, points, labels, found.like)))
  height = max(max(counts) + 1, SIDE)
  levels = range(len(drawn[0])) if scales else [len(drawn[0]) - 1]
  bands = [_band([figure.tile(x[level]) for x in drawn], counts, height,
                 (f'{drawn[0][level].shape[0]} px', '') if scales else None)
           for level in levels]
  heads = [f'{"-" if term.sign < 0 else "+" if i else ""} {_short(term)}'
           for i, term in enumerate(terms)]
  beside = [*((f'example {i + 1}', '') for i in range(height - 1)),
            ('mean', '')] * len(bands)
  return figure.draw(
      bands, ('arithmetic', f'means in {found.space}; right: the sum in the '
              f'middle, with noise around it'),
      above=[*heads, '', '= sum', ''], beside=beside, aside=len(terms))


def _band(tiles, counts, height, heading):
  """The rows of one scale: examples and means at the left, the sum right."""
  columns, start = [], 0
  means = sum(counts)
  for i, count in enumerate(counts):
    own = [*tiles[start:start + count]]
    columns.append([*own, *[None] * (height - 1 - count), tiles[means + i]])
    start += count
  around, top = tiles[means + len(counts):], (height - SIDE) // 2
  rows = []
  for row in range(height):
    place = SIDE * (row - top)
    inside = 0 <= row - top < SIDE
    rows.append([*(column[row] for column in columns), *(
        around[place:place + SIDE] if inside else [None] * SIDE)])
  return figure.Band(heading, rows)


def _short(term):
  """Its text, if it fits over a column; else how many examples it has."""
  fits = len(term.text) <= _LONGEST
  return term.text if fits else f'{len(term.picks)} examples'


def _deviation(trained):
  """Standard deviation of each number of w, [width]."""
  z = trained.gan.draw(jax.random.key(0), SPREAD_OF)
  return trained.styles(z, trained.labels_in_turn(SPREAD_OF))[:, 0].std(0)
