"""What a study would be, before it trains anything."""
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from msg_gan_jax.config import Config
from msg_gan_jax.gan.build import build
from msg_gan_jax.report.text import plural, size
from msg_gan_jax.study.plan import Plan, program_of
from msg_gan_jax.study.space import IN_ROUNDS, Range, Study
from msg_gan_jax.study.standing import expected, words
from msg_gan_jax.study.work import Trial
from msg_gan_jax.training import monitor

REASONS = 10  # That are listed.
# Of config.data what says how training shows pictures, and not which.
SHOWN = ('data.mirror', 'data.dequantize', 'data.threads')
KEPT = 2  # Checkpoints of a run: the best one and the newest.
# Of a run: what it wrote beside checkpoints in the runs of docs/studies, of
# which its grids of samples are most: bytes, and those of a grid's value.
RECORDS, OF_A_VALUE = 300_000, .6


def describe(name: str, study: Study, found: Plan, whole: bool,
             trials: Sequence[Trial] = ()) -> Iterator[str]:
  """Yields lines about a study: its runs, its programs, and what they need.

  Args:
    name: of the study.
    study: Study.
    found: Plan of the runs that are known.
    whole: whether these are all that it will have.
    trials: what its storage has of it already.
  """
  count = len(found.runs) if whole else expected(study)
  points = count // len(study.seeds)
  yield (f'study {name}: {plural(count, "trial")}, {plural(points, "point")} '
         f'x {plural(len(study.seeds), "seed")}')
  yield '  axes: ' + ', '.join(
      f'{axis} ({_values(x)})' for axis, x in study.axes.items())
  if study.sampler != 'grid':
    yield '  ' + _sampled(study, found, whole)
  if most := together(study):
    yield f'  together: {waiting(most)}'
  if varied := [axis for axis, x in study.axes.items() if any(
      name.startswith('data.') and name not in SHOWN for name in x.settings)]:
    yield (f'  pictures: {", ".join(varied)} may change those that runs are '
           'measured against; unlike ones never meet in one table')
  yield f'  judged by: {study.metric}, the {study.value} measurement of a run'
  dropped = found.dropped
  yield (f'  dropped: {plural(len(dropped), "point")} whose settings do not go '
         'together' if dropped else '  dropped: none')
  for line in reasons(dropped):
    yield f'    {line}'
  if found.alike:
    yield (f'  alike: {plural(found.alike, "point")} with the settings of an '
           'earlier one')
  more = '' if whole else ', of these'
  yield f'  programs: {found.programs} are compiled{more}'
  if trials:
    known = {trial.work.digest: trial.state for trial in trials}
    states = Counter(known.get(run.digest, 'new') for run in found.runs)
    yield '  so far: ' + ', '.join(
        f'{states[x]} {x}' for x in ('done', 'failed', 'running', 'waiting',
                                     'new') if states[x])
  yield f'  disk: {_disk(found.runs, count)}'


def together(study: Study) -> int:
  """How many runs can be trained at the same time; 0 sets no bound."""
  if study.sampler not in IN_ROUNDS:
    return 0
  return study.at_once * len(study.seeds) * len([*study.groups()])


def waiting(most: int) -> str:
  """Words for what more workers than these would do."""
  return (f'{plural(most, "run")} at most, study.at_once points with all '
          'seeds, since points are chosen by the values of those before; more '
          'workers would wait')


def _values(axis):
  if isinstance(axis, Range):
    return f'{axis.low:g} to {axis.high:g}'
  return plural(len(axis.rows), 'value')


def _sampled(study, found, whole):
  """What there is to say of points that a sampler chooses."""
  at_once = study.points if study.sampler == 'random' else study.at_once
  each = (f' for each of {", ".join(study.apart)}' if study.apart else '')
  line = f'sampler: {study.sampler}, {plural(study.points, "point")}{each}'
  if whole:
    return line
  return (f'{line}, {at_once} at a time: those after the first '
          f'{plural(len(found.runs), "trial")} are chosen by what the earlier '
          'ones give, and all that follows is of these')


def reasons(dropped: Sequence[tuple[Mapping[str, Any], str]]
            ) -> Iterator[str]:
  """Yields why points are dropped: REASONS lines at most, and a count."""
  by_reason: dict[str, list[Mapping[str, Any]]] = {}
  for point, why in dropped:
    by_reason.setdefault(why.strip().partition('\n')[0], []).append(point)
  ordered = sorted(by_reason.items(), key=lambda x: -len(x[1]))
  for why, points in ordered[:REASONS]:
    yield f'{len(points)} such as {words(dict(points[0]))}: {why}'
  if len(ordered) > REASONS:
    yield f'... and {len(ordered) - REASONS} reasons more'


def _disk(runs, count):
  """Words for how much the folders of `count` runs like these hold."""
  by_program: dict[tuple, int] = {}
  sizes = []
  for run in runs:
    train = run.config.train
    key = (program_of(run.config), train.total_images,
           train.sample_every_images)
    if key not in by_program:
      by_program[key] = bytes_of(run.config)
    sizes.append(by_program[key])
  mean = float(np.mean(sizes))
  return (f'{size(mean * count)}: a run has {size(mean)} in checkpoints, '
          'its best and its newest, and in records')


def bytes_of(config: Config) -> int:
  """About how many bytes the folder of a run holds at its end."""
  gan = build(config)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  of_state = sum(
      x.size * x.dtype.itemsize for x in jax.tree.leaves(
          (state, monitor.like_grid(gan))))
  train = config.train
  grids = 1 + train.total_images // max(1, train.sample_every_images)
  of_grid = monitor.GRID * sum(np.prod(shape) for shape in gan.shapes)
  return int(KEPT * of_state + RECORDS + OF_A_VALUE * grids * of_grid)
