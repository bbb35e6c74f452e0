"""METRICS: what is measured of two sets of pictures, and how sure it is."""
from collections.abc import Callable
from typing import NamedTuple

from msg_gan_jax.config import tables
from msg_gan_jax.metrics import (
  avatar_factors,
  by_features,
  by_pictures,
  polygon_distance,
)


class Metric(NamedTuple):
  """needs: pair -> specs of features; run: pair -> [Score]."""
  needs: Callable
  run: Callable


# What people call a score; others are called by their names.
TITLES = {
    'fid': 'FID', 'frechet': 'Fréchet distance', 'kid': 'KID',
    'fid_infinity': 'FID of endless samples',
    'frechet_infinity': 'Fréchet distance of endless samples',
    'is': 'inception score', 'classifier_score': 'classifier score',
    'ms_ssim': 'MS-SSIM of two samples', 'ms_ssim_within':
    'MS-SSIM within a class', 'intra_fid': 'FID within a class',
    'intra_frechet': 'Fréchet distance within a class',
}
# First scores of rows of METRICS that are not called like the row.
NAMES = {
    'fid': ('fid', 'frechet'), 'fid_infinity': ('fid_infinity',
                                                'frechet_infinity'),
    'is': ('is', 'classifier_score'), 'precision_recall': ('precision',),
    'density_coverage': ('density',), 'intra_fid': ('intra_fid',
                                                    'intra_frechet'),
    'memorised': ('authentic',), 'ppl': ('ppl', 'path_length'),
    'polygons': ('polygon_precision',),
}
# Of which less is better; of shares and class scores more is.
LOWER = ('fid', 'frechet', 'kid', 'swd', 'intra', 'ppl', 'path_length',
         'ms_ssim')


def _labelled(pair, name):
  for flag, one in (('real', pair.real), ('fake', pair.fake)):
    if len(one.classes) < 2:
      raise ValueError(
          f'--metrics: {name} compares classes, and the pictures of --{flag} '
          f'({one.name}) have none.')
  if pair.real.classes != pair.fake.classes:
    raise ValueError(
        f'--metrics: {name} compares classes, and they differ: '
        f'{", ".join(pair.real.classes[:5])}, ... in {pair.real.name}, '
        f'{", ".join(pair.fake.classes[:5])}, ... in {pair.fake.name}.')


def _none(pair):
  return ()


def _by_class(name, needs):
  def checked(pair):
    _labelled(pair, name)
    return needs(pair)
  return checked


def _path_needs(pair):
  spec = by_features.path_spec(pair)
  if spec != by_features.LPIPS:
    return (spec,)
  pair.perceptual()  # Its weights are looked for now, and not after all else.
  return ()


def _spec(pair):
  return (pair.spec,)


def _manifold_spec(pair):
  return (pair.manifold_spec,)


METRICS = tables.Table(
  '--metrics',
  'metric',
  {
    'fid': Metric(_spec, by_features.fid),
    'fid_infinity': Metric(_spec, by_features.fid_infinity),
    'kid': Metric(_spec, by_features.kid),
    'is': Metric(lambda p: (by_features.logits_spec(p),), by_features.classes),
    'precision_recall': Metric(_manifold_spec, by_features.precision_recall),
    'density_coverage': Metric(_manifold_spec, by_features.density_coverage),
    'ms_ssim': Metric(_none, by_pictures.ms_ssim),
    'ms_ssim_within': Metric(
      _by_class('ms_ssim_within', _none), by_pictures.ms_ssim_within
    ),
    'swd': Metric(_none, by_pictures.swd),
    'intra_fid': Metric(_by_class('intra_fid', _spec), by_features.intra_fid),
    'class_accuracy': Metric(
      _by_class('class_accuracy', lambda p: (by_features.CLASSES,)),
      by_features.class_accuracy,
    ),
    'memorised': Metric(_manifold_spec, by_features.memories),
    'ppl': Metric(_path_needs, by_features.ppl),
    'factors': Metric(
      lambda p: avatar_factors.taps(p.real), avatar_factors.scores
    ),
    'polygons': Metric(_none, polygon_distance.scores),
  },
)


def name_of(key):
  """The name of a score whose `scores.key` it is, or ''.

  'fid_infinity_ada' is of 'fid_infinity', and not of 'fid'.
  """
  known = {*METRICS, *(name for names in NAMES.values() for name in names)}
  fits = [name for name in known if f'{key}_'.startswith(f'{name}_')]
  return max(fits, key=len, default='')
