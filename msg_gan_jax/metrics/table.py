"""METRICS: what is measured of two sets of pictures, and how sure it is."""
from collections.abc import Callable, Iterable, Mapping, Sequence
import dataclasses
import re
from typing import Protocol

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.metrics import (
  avatar_factors,
  by_features,
  by_pictures,
  polygon_distance,
)
from msg_gan_jax.metrics.features.table import FEATURES, parse
from msg_gan_jax.metrics.functional import frechet
from msg_gan_jax.metrics.pair import Pair
from msg_gan_jax.metrics.protocols import Protocol as Definitions
from msg_gan_jax.metrics.score import Score


class FeaturesOf(Protocol):
  """Which features a metric looks at, as specs such as 'inception:2048'."""

  def __call__(self, pair: Pair, /) -> Iterable[str]: ...


class Run(Protocol):
  """The scores of two sets of pictures."""

  def __call__(self, pair: Pair, /) -> list[Score]: ...


@dataclasses.dataclass(frozen=True)
class Metric:
  """A row of METRICS.

  Attributes:
    features: pair -> specs of the features it looks at, which are opened before
      anything is computed; () where it looks at pictures.
    run: pair -> its scores.
    title: what people call the score that has the name of the row.
    scores: {name: title} of scores with other names. The best checkpoint is
      chosen by the first that there is: the one called like the row, then
      these.
    without_pictures: sides of which mu and sigma are enough.
    lower_is_better: whether less is better, of what `best` is chosen by.
    fewest: protocol -> how many pictures it needs of the reals, and of the
      fakes.
    of_class: which class has to have so many, where one has to: the smallest
      that there is, by `min`, or the largest, by `max`.
  """
  features: FeaturesOf
  run: Run
  title: str
  scores: Mapping[str, str] = dataclasses.field(default_factory=dict)
  without_pictures: tuple[str, ...] = ()
  lower_is_better: bool = dataclasses.field(kw_only=True)
  fewest: Callable[[Definitions], tuple[int, int]] = dataclasses.field(
      default=lambda protocol: (2, 2), kw_only=True)
  of_class: Callable[[Iterable[int]], int] | None = dataclasses.field(
      default=None, kw_only=True)


def _check_classes(pair, name):
  sources = pair.real.source, pair.fake.source
  for side, source in zip(('real', 'fake'), sources, strict=True):
    if len(source.classes) < 2:
      why = source.notes.get(picture_files.WITHOUT_CLASSES)
      raise ValueError(
          f'metrics: {name} compares classes, and the pictures of {side} '
          f'({source.name}) have none{f": {why}" if why else ""}. Wanted all '
          f'in one folder a class, or metrics without {name}.')
  real, fake = sources
  if real.classes != fake.classes:
    raise ValueError(
        f'metrics: {name} compares classes, and they differ: '
        f'{", ".join(real.classes[:5])}, ... in {real.name}, '
        f'{", ".join(fake.classes[:5])}, ... in {fake.name}.')


def _no_features(pair):
  pair.check_one_size('what is compared pixel by pixel')
  return ()


def _patches(pair):
  by_pictures.check_patches(pair)
  return _no_features(pair)


def _spec(pair):
  return (pair.spec,)


def _manifold_spec(pair):
  return (pair.manifold_spec,)


def _shown_spec(pair):
  pair.check_one_size('a picture of what is nearest')
  return (pair.manifold_spec,)


def _logits_spec(pair):
  return (by_features.logits_spec(pair),)


def _classifier_spec(pair):
  return (by_features.CLASSES,)


def _path_specs(pair):
  spec = by_features.path_spec(pair)
  if spec != by_features.LPIPS:
    return (spec,)
  pair.extractors.lpips()  # An error about its weights comes now, not later.
  return ()


def _factor_specs(pair):
  return avatar_factors.factor_specs(pair.real.source)


def _with_classes(name, features):
  """`features`, of pictures that have classes."""
  def checked(pair):
    _check_classes(pair, name)
    return features(pair)
  return checked


METRICS: tables.Table[Metric] = tables.Table('metrics', 'metric', {
    'fid': Metric(
        _spec, by_features.fid_scores, 'FID', {'frechet': 'Fréchet distance'},
        ('real', 'fake'), lower_is_better=True),
    'fid_infinity': Metric(
        _spec, by_features.fid_infinity_scores, 'FID of endless samples',
        {'frechet_infinity': 'Fréchet distance for endless samples'},
        ('real',), lower_is_better=True,
        fewest=lambda protocol: (2, frechet.FEWEST)),
    'kid': Metric(_spec, by_features.kid_scores, 'KID', lower_is_better=True),
    'is': Metric(
        _logits_spec, by_features.inception_scores, 'inception score',
        {'classifier_score': 'classifier score'}, lower_is_better=False),
    'precision_recall': Metric(
        _manifold_spec, by_features.precision_recall_scores,
        'precision and recall', {'precision': 'precision', 'recall': 'recall'},
        lower_is_better=False,
        fewest=lambda protocol: (protocol.k + 1, protocol.k + 1)),
    'density_coverage': Metric(
        _manifold_spec, by_features.density_coverage_scores,
        'density and coverage', {'density': 'density', 'coverage': 'coverage'},
        lower_is_better=False, fewest=lambda protocol: (
            by_features.NEIGHBOURS + 1, by_features.NEIGHBOURS + 1)),
    'ms_ssim': Metric(
        _no_features, by_pictures.ms_ssim_scores, 'MS-SSIM of two samples',
        lower_is_better=True, fewest=by_pictures.fewest_of_ms_ssim),
    'ms_ssim_within': Metric(
        _with_classes('ms_ssim_within', _no_features),
        by_pictures.ms_ssim_within_scores, 'MS-SSIM within a class',
        lower_is_better=True, of_class=max),
    'swd': Metric(
        _patches, by_pictures.swd_scores, 'sliced Wasserstein distance',
        lower_is_better=True),
    'intra_fid': Metric(
        _with_classes('intra_fid', _spec), by_features.intra_fid_scores,
        'FID within a class',
        {'intra_frechet': 'Fréchet distance within a class'},
        lower_is_better=True, of_class=min),
    'class_accuracy': Metric(
        _with_classes('class_accuracy', _classifier_spec),
        by_features.class_accuracy_scores, 'class accuracy',
        lower_is_better=False),
    'memorised': Metric(
        _shown_spec, by_features.memorisation_scores, 'memorisation',
        {'authentic': 'authentic'}, lower_is_better=False),
    'ppl': Metric(
        _path_specs, by_features.ppl_scores, 'ppl',
        {'path_length': 'path length'}, lower_is_better=True),
    'factors': Metric(
        _factor_specs, avatar_factors.factor_scores, 'factors',
        lower_is_better=False),
    'polygons': Metric(
        _no_features, polygon_distance.polygon_scores, 'polygons',
        {'polygon_precision': 'polygon precision',
         'polygon_recall': 'polygon recall'}, lower_is_better=False),
})


def too_few(name: str, protocol: Definitions, real: np.ndarray,
            fake: np.ndarray) -> str:
  """Why a row cannot measure so few pictures; '' where it can.

  Args:
    name: of the row.
    protocol: how it is computed.
    real, fake: int [n], the labels of each set.
  """
  row = METRICS[name]
  for side, labels, fewest in zip(
      ('real', 'fake'), (real, fake), row.fewest(protocol), strict=True):
    found, of = len(labels), ''
    if row.of_class and found:
      counts = np.unique(labels, return_counts=True)[1]
      found = int(row.of_class(counts))
      of = ' of ' + ('each' if row.of_class is min else 'a') + ' class'
    if found < fewest:
      return (f'{name} needs {fewest} {side} pictures{of}, and there '
              f'{"is" if found == 1 else "are"} {found}')
  return ''


def score_names(name: str) -> tuple[str, ...]:
  """The names of the scores of a row, that of the best checkpoint first."""
  return name, *METRICS[name].scores


def named(metrics: str | Sequence[str] | None) -> tuple[str, ...]:
  """Rows of METRICS as they are asked for: 'fid', 'fid,kid', or several."""
  if not isinstance(metrics, str):
    return tuple(metrics or ())
  words = (word.strip() for word in metrics.split(','))
  return tuple(word for word in words if word)


def title_of(score_name: str, spec: str = '') -> str:
  """What people call a score.

  Args:
    score_name: its name.
    spec: the features that it looks at. A distance of others than those that
      FID and KID are known by says what they are.
  """
  titles = {key: title for name, metric in METRICS.items()
            for key, title in {name: metric.title, **metric.scores}.items()}
  title = titles.get(score_name, score_name.replace('_', ' '))
  if not spec or by_features.is_inception(spec):
    return title
  name, _ = parse(spec)
  network = FEATURES[name].title or name
  return re.sub('^(KID|Fréchet distance)', lambda match: (
      f'{match[1].replace("KID", "kernel distance")} of {network}'), title)


def score_of_key(key: str) -> str:
  """The name of the score that has this evaluate.key, or ''.

  'fid_infinity_ada' belongs to 'fid_infinity', and not to 'fid'.
  """
  names = [name for row in METRICS for name in score_names(row)
           if f'{key}_'.startswith(f'{name}_')]
  return max(names, key=len, default='')
