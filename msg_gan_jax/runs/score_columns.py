"""Which scores of several runs may stand in one column of a table.

Those of the same name and the same id: an id is of all that moves a score but
the samples. The distances of summary.json have no id of their own; theirs is of
their protocol and of the pictures that they were measured against.
"""
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import hashlib
import json
import math
from typing import Any, NamedTuple

from msg_gan_jax.runs.columns import are_scores, number
from msg_gan_jax.runs.read import Written

SUMMARY, SCORES = 'summary.json', 'scores.jsonl'


class Measured(NamedTuple):
  """A score of a run, once measured.

  Attributes:
    value: nan where it has no meaning.
    error: its standard error over samples; nan where that is not known.
      Another training seed is another matter: see `analysis.seeds.spread`.
    reals: the same of one half of the reals against the other, or what they
      have by themselves; nan where that is not known.
    images: real images shown before it; nan where that is not known.
    file: SUMMARY or SCORES, which has it.
  """
  value: float
  error: float
  reals: float
  images: float
  file: str


class ScoreColumn(NamedTuple):
  """Scores of several runs that may be compared.

  Attributes:
    name: in records, such as 'fid_ada' or 'swd_mean'.
    id: of all that moves it but the samples; '' of a score that has none, which
      is then the only one in its column.
    protocol: the name of its protocol; '' of a distance.
    runs: [runs][n], of each run all that was measured so, those with fewer
      images first, and then in the order in which they were written.
  """
  name: str
  id: str
  protocol: str
  runs: tuple[tuple[Measured, ...], ...]

  @property
  def newest(self) -> tuple[Measured | None, ...]:
    """Of each run the last one: at most images, and written last of these."""
    return tuple(found[-1] if found else None for found in self.runs)


def score_columns(runs: Sequence[Written]) -> tuple[ScoreColumn, ...]:
  """Columns of a table of scores, a row for each run.

  Args:
    runs: any number of them.

  Returns:
    Columns in the order in which the runs, one after another, have them.
  """
  found: dict[tuple, ScoreColumn] = {}
  for i, run in enumerate(runs):
    for name, identity, protocol, score in _measured(run):
      key = (name, identity) if identity else (name, '', i)
      column = found.setdefault(key, ScoreColumn(
          name, identity, protocol, ((),) * len(runs)))
      rows = [*column.runs]
      rows[i] += (score,)
      found[key] = column._replace(runs=tuple(rows))
  return tuple(column._replace(runs=tuple(
      tuple(sorted(row, key=_images)) for row in column.runs))
      for column in found.values())


def alike(runs: Sequence[Written], name: str,
          places: Iterable[int]) -> dict[str, tuple[int, ...]]:
  """Whose records of a score may stand in one chart.

  Records have no ids. That of the newest measurement in training, which is in
  summary.json, is that of its records; without one, runs are alike that trained
  on the same pictures at one resolution and were asked for the same measures.

  Args:
    runs: any number of them.
    name: of the score in records.
    places: of runs that have it.

  Returns:
    {eight letters: places}, in the order given.
  """
  found: dict[str, tuple[int, ...]] = {}
  for i in places:
    identity = next((identity for known, identity, _, x in _measured(runs[i])
                     if known == name and identity and x.file == SUMMARY),
                    '') or _of_settings(runs[i])
    found[identity] = (*found.get(identity, ()), i)
  return found


def _of_settings(run):
  newest = run.versions[-1] if run.versions else {}
  return _digest(newest.get('data_digest'), run.config.data.resolution,
                 dataclasses.asdict(run.config.evaluate))


def _images(score):
  return -1. if math.isnan(score.images) else score.images


def _measured(run):
  """Yields (name, id, protocol, Measured) of all that a run has."""
  summary = run.summary
  images = _number(summary.get('images'))
  if 'swd' in summary or 'samples' in summary:
    identity = _identity(run, summary, images)
    for name, (value, reals) in _distances(summary).items():
      yield name, identity, '', Measured(
          value, math.nan, reals, images, SUMMARY)
  in_training = summary.get('scores')
  if isinstance(in_training, dict) and are_scores(in_training.get('scores')):
    yield from _of_record({**in_training, 'images': images}, SUMMARY)
  for line in run.evaluations:
    yield from _of_record(line, SCORES)


def _of_record(record, file):
  protocol, images = str(record.get('protocol', '')), record.get('images')
  for name, score in record['scores'].items():
    yield name, score.get('id', ''), protocol, Measured(
        _number(score['value']), _number(score.get('error_of_samples')),
        _number(score.get('reals')), _number(images), file)


def _distances(summary: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
  """{name in records: (value, that of reals)} of what has no id."""
  found: dict[str, Any] = {}
  distances, pairs = (_dict(summary.get(name)) for name in ('swd', 'pairwise'))
  halves = _dict(distances.get('halves'))
  for level, value in _dict(distances.get('samples')).items():
    found[f'swd_{level}'] = value, halves.get(level)
  if 'samples' in pairs:
    found['pairwise_ratio'] = _number(pairs['samples']) / max(
        _number(pairs.get('reals')), 1e-8), 1.
  reals = _dict(summary.get('reals'))  # Of a toy: it has no others.
  for name, value in _dict(summary.get('samples')).items():
    found[name] = value, reals.get(name)
  return {name: (_number(value), _number(of_reals))
          for name, (value, of_reals) in found.items()}


def _identity(run, summary, images):
  """Eight letters for the protocol of distances, and for what is real."""
  entry: dict[str, Any] = next((
      version for start, version in zip(
          reversed(run.starts), reversed(run.versions), strict=True)
      if start.images is not None and start.images < images), {})
  pictures = _dict(entry.get('pictures'))
  reals = pictures.get('held_out', pictures.get('train')) or entry.get(
      'data_digest')
  return _digest(summary.get('protocol'), reals)


def _digest(*values):
  text = json.dumps(values, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:8]


def _dict(value):
  return value if isinstance(value, dict) else {}


def _number(value):
  value = number(value)
  return float(value) if isinstance(value, int | float) else math.nan
