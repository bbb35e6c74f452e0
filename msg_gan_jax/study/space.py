"""What a study varies: axes over settings, and how their points are chosen.

A study file is an experiment with one function more:

  def get_study():
    return Study(
        axes={'loss': choices(
                  'wasserstein', 'non_saturating', of='objective.loss'),
              'rate': log_uniform(1e-5, 1e-2, of=RATES)},
        seeds=range(3), sampler='random', points=20, metric='fid')
"""
from collections.abc import Iterator, Mapping, Sequence
import dataclasses
import itertools
import math
from typing import Any

from msg_gan_jax.config import metadata, schema, tables

SAMPLERS = ('grid', 'random', 'tpe', 'bandit')
IN_ROUNDS = ('tpe', 'bandit')  # Samplers that go by the values so far.
RATES = ('optimizer.g_rate', 'optimizer.d_rate')
Point = dict[str, Any]  # {axis: a value of it, or the name of a row}.


@dataclasses.dataclass(frozen=True)
class Choices:
  """An axis that goes through values, or through rows of several settings.

  Attributes:
    rows: {what stands for it in tables: {setting: value}}.
  """
  rows: Mapping[Any, Mapping[str, Any]]

  @property
  def settings(self) -> tuple[str, ...]:
    """All that any row gives a value, in the order of the rows."""
    return tuple(dict.fromkeys(itertools.chain(*self.rows.values())))

  def of(self, value: Any) -> Mapping[str, Any]:
    """{setting: value} of a row."""
    return self.rows[value]

  def has(self, value: Any) -> bool:
    """Whether a row is called so."""
    return value in self.rows


@dataclasses.dataclass(frozen=True)
class Range:
  """An axis between two numbers.

  Attributes:
    low, high: its ends; both belong to it.
    settings: each gets the same number.
    log: whether equal ratios, and not equal differences, are equally likely.
    whole: whether only integers are meant.
  """
  low: float
  high: float
  settings: tuple[str, ...]
  log: bool = False
  whole: bool = False

  def of(self, value: float) -> dict[str, float]:
    """{setting: number}."""
    return dict.fromkeys(self.settings, value)

  def has(self, value: float) -> bool:
    """Whether it lies between the ends."""
    return self.low <= value <= self.high


Axis = Choices | Range


def choices(*values: Any, of: str | Sequence[str]) -> Choices:
  """An axis of one setting, or of several that have the same value.

  Args:
    values: such as 'wasserstein', 'hinge'.
    of: 'objective.loss', or ('optimizer.g_rate', 'optimizer.d_rate').
  """
  settings = _several(of)
  return Choices({value: dict.fromkeys(settings, value) for value in values})


def rows(**named: Mapping[str, Any]) -> Choices:
  """An axis of named settings.

  Args:
    named: such as wgan_gp={'objective.loss': 'wasserstein',
      'objective.penalty': 'gradient_penalty'}.
  """
  return Choices(named)


def presets(own: Mapping[str, Mapping[str, Any]],
            all_of_them: Mapping[str, Any] | None = None) -> Choices:
  """An axis of whole presets: networks, with all that their papers set.

  Args:
    own: {preset: what differs from it here}, such as {'msg_progan': {}}. What
      one of them sets has its default in the others, whatever the base has.
    all_of_them: {setting: value} of every row that has no other value of its
      own, such as a batch.

  Raises:
    ValueError: no preset of that name.
  """
  for name in own:
    schema.PRESETS.check(name, 'study.axes')
  varied = {x for name in own for x in schema.PRESETS[name]}
  usual = schema.flatten(schema.Config())
  return Choices({
      name: {**{x: usual[x] for x in sorted(varied)}, **schema.PRESETS[name],
             **(all_of_them or {}), **changed}
      for name, changed in own.items()})


def uniform(low: float, high: float, of: str | Sequence[str]) -> Range:
  """An axis in which equal differences are equally likely; `of`: `choices`."""
  return Range(float(low), float(high), _several(of))


def log_uniform(low: float, high: float, of: str | Sequence[str]) -> Range:
  """An axis in which equal ratios are equally likely; `of`: see `choices`."""
  return Range(float(low), float(high), _several(of), log=True)


def integers(low: int, high: int, of: str | Sequence[str]) -> Range:
  """An axis of the whole numbers low .. high; `of`: see `choices`."""
  return Range(low, high, _several(of), whole=True)


def _several(of):
  return (of,) if isinstance(of, str) else tuple(of)


@dataclasses.dataclass(frozen=True)
class Study:
  """What is varied, how often, and by what it is judged.

  Attributes:
    axes: {name: Axis}; the base, `get_config()`, has all other settings.
    seeds: each point is trained once with each.
    metric: a row of METRICS, or 'swd', by which points are judged. It is
      measured by config.evaluate at train.measure_every_images, and the best
      measurement of a run counts, or the last: see `value`.
    value: 'best' or 'last'.
    sampler: 'grid' is every point; 'random', 'tpe' (Bergstra et al. 2011) and
      'bandit' (a Gaussian process with upper confidence bounds, Srinivas et
      al. 2010) choose `points`.
    points: how many the sampler chooses, for each combination of `apart`.
    at_once: points that tpe or the bandit chooses before it hears of their
      values: with all seeds, and for each combination of `apart`, so many runs
      can be trained at the same time.
    apart: axes that the sampler does not choose: for each combination of their
      values it begins anew, with `points` of its own.
    first: points that come before those of the sampler, such as published ones;
      an axis that such a point leaves out keeps the base's settings.

  Raises:
    ValueError: an axis that is empty, an unknown setting or a value that it
      cannot have, a setting that two axes give, or a sampler without points.
  """
  axes: Mapping[str, Axis]
  seeds: Sequence[int] = (0,)
  metric: str = 'swd'
  value: str = 'best'
  sampler: str = 'grid'
  points: int = 0
  at_once: int = 1
  apart: tuple[str, ...] = ()
  first: Sequence[Mapping[str, Any]] = ()

  def __post_init__(self) -> None:
    _check(self)

  def settings(self, point: Mapping[str, Any]) -> dict[str, Any]:
    """{setting: value} that a point changes in the base."""
    return {name: value for axis, chosen in point.items()
            for name, value in self.axes[axis].of(chosen).items()}

  def groups(self) -> Iterator[Point]:
    """Combinations of the axes `apart`; one empty one if there are none."""
    return _product({name: self.axes[name] for name in self.apart})

  def grid(self) -> Iterator[Point]:
    """Every point of a study whose axes are all Choices, the last axis first.

    They come so that a study that is stopped has whole rows of its tables.
    """
    return _product(self.axes)

  @property
  def chosen(self) -> dict[str, Axis]:
    """The axes that the sampler chooses."""
    return {k: v for k, v in self.axes.items() if k not in self.apart}


def _product(axes) -> Iterator[Point]:
  for values in itertools.product(*(axis.rows for axis in axes.values())):
    yield dict(zip(axes, values, strict=True))


def _check(study):
  """Refuses what would only be seen after hours."""
  if not study.axes:
    raise ValueError('study.axes: a study needs one axis at least, such as '
                     "{'loss': choices('wasserstein', of='objective.loss')}.")
  known = metadata()
  given: dict[str, str] = {}
  for name, axis in study.axes.items():
    _check_axis(name, axis, known)
    for setting in axis.settings:
      if setting in given:
        raise ValueError(
            f'study.axes: {setting!r} is given by {given[setting]!r} and by '
            f'{name!r}; wanted one of them.')
      given[setting] = name
  if 'seed' in given:
    raise ValueError(f'study.axes: {given["seed"]!r} varies the seed; wanted '
                     'seeds=(0, 1, 2) of the study, which are not a method.')
  _check_seeds(study.seeds)
  _check_sampler(study)
  for point in study.first:
    _check_point(study, point)


def _check_axis(name, axis, known):
  place = f'study.axes: {name!r}'
  if not isinstance(axis, Choices | Range):
    raise ValueError(
        f'{place}: wanted choices(...), rows(...), uniform(...), '
        f'log_uniform(...) or integers(...), found {axis!r:.80}.')
  if isinstance(axis, Choices) and not axis.rows:
    raise ValueError(f'{place} has no value; wanted one at least.')
  if not axis.settings:
    raise ValueError(f'{place} changes no setting.')
  for setting in axis.settings:
    if setting not in known:
      raise ValueError(f'{place}: no setting {setting!r}; '
                       f'{tables.nearest(setting, known)}')
    if why := _not_varied(setting):
      raise ValueError(f'{place} varies {setting!r}, {why}')
  if isinstance(axis, Range) and not (
      math.isfinite(axis.low) and math.isfinite(axis.high)
      and axis.low < axis.high and (axis.low > 0 or not axis.log)):
    raise ValueError(
        f'{place}: wanted two finite numbers, the lower one first'
        f'{" and above 0" if axis.log else ""}, found {axis.low:g} and '
        f'{axis.high:g}.')
  if isinstance(axis, Range) and axis.whole and not (
      float(axis.low).is_integer() and float(axis.high).is_integer()):
    raise ValueError(f'{place}: wanted two whole numbers, found {axis.low:g} '
                     f'and {axis.high:g}.')
  usual = schema.flatten(schema.Config())
  ends = axis.rows if isinstance(axis, Choices) else (axis.low, axis.high)
  for value in ends:
    for setting, found in axis.of(value).items():
      try:
        schema.parse(nested({**usual, setting: found}))
      except ValueError as error:
        raise ValueError(f'{place}: {error}') from error


def _not_varied(setting):
  """Why no axis can have a setting, and what to do; '' if one can."""
  if setting.startswith('evaluate.'):
    return ('which is how runs are measured, and what is measured otherwise '
            'never meets in one table; wanted it in get_config(), and a study '
            f'for each: --config.{setting}=... and another --workdir.')
  if setting == 'data.path':
    return ('which each machine has for itself; wanted a study for each set of '
            'pictures: --config.data.path=... and another --workdir.')
  if setting in schema.ELSEWHERE:
    return ('which says how a run is kept, and not what comes of it; wanted it '
            'in get_config().')
  return ''


def _check_seeds(seeds):
  if not len(seeds) or len(set(seeds)) < len(seeds) or not all(
      isinstance(seed, int) and seed >= 0 for seed in seeds):
    raise ValueError('study.seeds: wanted different whole numbers from 0 on, '
                     f'found {list(seeds)}.')


def _check_sampler(study):
  if study.sampler not in SAMPLERS:
    raise ValueError(f'study.sampler: no sampler {study.sampler!r}; '
                     f'{tables.nearest(study.sampler, SAMPLERS)}')
  if study.value not in ('best', 'last'):
    raise ValueError(f"study.value: wanted 'best' or 'last', found "
                     f'{study.value!r}.')
  for name in study.apart:
    if not isinstance(study.axes.get(name), Choices):
      raise ValueError(f'study.apart: {name!r} is not an axis of choices.')
  ranges = [k for k, v in study.axes.items() if isinstance(v, Range)]
  if study.sampler == 'grid':
    if ranges:
      raise ValueError(
          f'study.axes: {ranges[0]!r} is a range, of which a grid has no '
          "points; wanted choices(...), or sampler='random' and points=20.")
    if study.points or study.apart:
      raise ValueError('study.points and study.apart mean nothing to a grid, '
                       "which is every point; wanted sampler='random'.")
  elif study.points < 1:
    raise ValueError(f'study.points: wanted how many the sampler '
                     f'{study.sampler!r} chooses, found {study.points}.')
  if study.at_once < 1:
    raise ValueError(f'study.at_once: wanted 1 or more, found '
                     f'{study.at_once}.')
  if study.at_once > 1 and study.sampler not in IN_ROUNDS:
    raise ValueError(
        f'study.at_once: {study.at_once} means nothing to the sampler '
        f'{study.sampler!r}, whose points are all known at once; wanted '
        f"sampler='{IN_ROUNDS[0]}' or '{IN_ROUNDS[1]}', or no at_once.")


def _check_point(study, point):
  for name, value in point.items():
    if name not in study.axes:
      raise ValueError(f'study.first: no axis {name!r}; '
                       f'{tables.nearest(name, study.axes)}')
    axis = study.axes[name]
    if isinstance(axis, Choices) and not axis.has(value):
      raise ValueError(f'study.first: the axis {name!r} has no {value!r}; '
                       f'{tables.nearest(value, axis.rows)}')
    if isinstance(axis, Range) and not axis.has(value):
      raise ValueError(
          f'study.first: {name!r} is {value!r}; wanted {axis.low:g} to '
          f'{axis.high:g}.')


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
  """{'train.batch': 8} -> {'train': {'batch': 8}}."""
  tree: dict[str, Any] = {}
  for name, value in settings.items():
    *groups, field = name.split('.')
    place = tree
    for group in groups:
      place = place.setdefault(group, {})
    place[field] = value
  return tree
