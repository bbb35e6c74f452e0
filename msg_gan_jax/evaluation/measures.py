"""METRICS: what is measured of two sets of pictures, and how sure it is."""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from msg_gan_jax import tables
from msg_gan_jax.evaluation import factors as factors_lib
from msg_gan_jax.evaluation import features as features_lib
from msg_gan_jax.evaluation import manifold
from msg_gan_jax.metrics import (
  frechet,
  kernel,
  memorised,
  neighbours,
  path_length,
  references,
  score,
  similarity,
  sliced,
  within,
)

INCEPTION = 'inception:2048'  # Of other features, FID has another name.
CLASSES = 'classifier:logits'
LPIPS = 'lpips'
_SIMILAR_PAIRS = 10_000  # Karras et al. 2018.
_LANDSCAPE = 5, 64  # Batches, and pictures in one.
_NEIGHBOURS_K = 5  # Naeem et al. 2020.
_FEWEST_IN_CLASS = 2


class Score(NamedTuple):
  """One number.

  Attributes:
    name: what it is: 'fid', 'precision', ...
    value: Python float; nan where it has no meaning, and `warnings` say why.
    error: its standard error over the samples, or None; training seeds are
      another matter, see report.seeds.
    features: the spec it looks at, '' where it looks at pixels.
    reals: the same of one half of the reals against the other, or what they
      have by themselves, or None.
    about: plain values for a record.
    warnings: lines for people.
  """
  name: str
  value: float
  error: float | None = None
  features: str = ''
  reals: float | None = None
  about: dict = {}
  warnings: tuple = ()


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


def _fid(pair):
  spec = pair.spec
  real, fake = pair.moments('real', spec), pair.moments('fake', spec)
  ddof = pair.protocol.ddof
  found = frechet.frechet(real, fake, ddof)
  floor = pair.floor(('fid', spec), lambda a, b: frechet.frechet(
      frechet.moments(a), frechet.moments(b), ddof).value)
  # The error looks at each fake once more.
  error = None if pair.streams('fake', spec) else frechet.standard_error(
      real, pair.features('fake', spec), ddof)
  return [Score(
      'fid' if _is_inception(spec) else 'frechet', found.value, error, spec,
      floor, {'mean_term': found.mean_term, 'trace_term': found.trace_term,
              'rank_real': found.rank_real, 'rank_fake': found.rank_fake},
      tuple(found.warnings))]


def _fid_infinity(pair):
  spec = pair.spec
  found = frechet.infinity(
      pair.moments('real', spec), pair.features('fake', spec),
      seed=pair.options.seed, ddof=pair.protocol.ddof)
  name = 'fid_infinity' if _is_inception(spec) else 'frechet_infinity'
  value = found.pop('value')
  warnings = tuple(found.pop('warnings', ()))
  return [Score(name, value, found.pop('standard_error'), spec,
                about=_plain(found), warnings=warnings)]


def _kid(pair):
  spec, protocol = pair.spec, pair.protocol

  def kid(a, b):
    return kernel.kid(a, b, protocol.subsets, protocol.subset)

  found = kid(pair.features('real', spec), pair.features('fake', spec))
  floor = pair.floor(('kid', spec), lambda a, b: kid(a, b)['value'])
  warnings = tuple(found.pop('warnings', ()))
  return [Score('kid', found.pop('value'), found.pop('standard_error'), spec,
                floor, _plain(found), warnings)]


def _is(pair):
  """The inception score; of another classifier, the classifier score."""
  protocol, spec = pair.protocol, _logits_spec(pair)
  name = 'is' if _is_inception(pair.spec) else 'classifier_score'
  scores = {}
  for side in ('fake', 'real'):
    logits = pair.features(side, spec)
    parts = min(protocol.splits, len(logits))
    # The reals, whose order may be that of their classes, are always shuffled.
    scores[side] = score.score(
        logits, parts, protocol.shuffle or side == 'real')
  found = scores['fake']
  # The parts are independent, so the error of their mean is as of any mean.
  error = found['std'] / np.sqrt(max(found['splits'] - 1, 1)) if (
      found['splits'] > 1) else None
  return [Score(name, found['value'], error, spec, scores['real']['value'],
                {'std': found['std'], 'splits': found['splits']},
                tuple(found.get('warnings', ())))]


def _precision_recall(pair):
  return _manifold(pair, neighbours.precision_recall, pair.protocol.k,
                   closed=pair.protocol.closed)


def _density_coverage(pair):
  return _manifold(pair, neighbours.density_coverage, _NEIGHBOURS_K)


def _manifold(pair, measure, k, **rule):
  spec = pair.manifold_spec
  found = measure(
      pair.features('real', spec), pair.features('fake', spec), k=k, **rule)
  floor = pair.floor((measure.__name__, spec), lambda a, b: measure(
      a, b, k=k, **rule) if len(a) > k else {}) or {}
  # Precision is a share of independent fakes. The others are of reals, near to
  # fakes that they have in common: no such law holds.
  error = {'precision': _of_share(found.get('precision', 0), pair.n('fake'))}
  return [Score(
      name, found[name], error.get(name), spec, floor.get(name), {'k': k})
          for name in ('precision', 'recall', 'density', 'coverage')
          if name in found]


def _ms_ssim(pair):
  landscape = pair.protocol.similarity == 'landscape'
  values = {}
  for side in ('fake', 'real'):
    if landscape:
      batches, batch = _LANDSCAPE
      batch = min(batch, pair.n(side) // batches)
      values[side] = similarity.landscape(
          pair.images(side, batches * batch), batches, batch)
    else:
      values[side] = similarity.pairs(
          pair.images(side, 2 * _SIMILAR_PAIRS),
          min(_SIMILAR_PAIRS, pair.n(side) // 2), pair.options.seed,
          _form(pair))
  found = values['fake']
  form = similarity.LANDSCAPE if landscape else _form(pair)
  return [Score('ms_ssim', found['value'], found.get('standard_error'),
                reals=values['real']['value'], about={
                    'form': form._asdict(), 'pairs': found['pairs']},
                warnings=tuple(found['warnings']))]


def _ms_ssim_within(pair):
  values = {side: similarity.within(
      pair.images(side, 2 * _SIMILAR_PAIRS),
      pair.labels(side, 2 * _SIMILAR_PAIRS), seed=pair.options.seed,
      form=_form(pair)) for side in ('fake', 'real')}
  found = values['fake']
  return [Score('ms_ssim_within', found.pop('mean'),
                reals=values['real']['mean'],
                about={'by_class': _named(pair, found)})]


def _form(pair):
  """ProGAN's, which halves four times; where sides do not allow it, the other.
  """
  height, width, _ = pair.real.shape
  return similarity.LANDSCAPE if height % 16 or width % 16 else (
      similarity.PROGAN)


def _swd(pair):
  real, fake = (pair.images(side, pair.protocol.sliced)
                for side in ('real', 'fake'))
  seed = pair.options.seed
  found = sliced.swd(real, fake, seed)
  floor = pair.once('sliced floor', lambda: sliced.swd(*references.halves(
      real, seed), seed) if len(real) >= 4 else {})
  protocol = found.pop('protocol')
  return [Score(f'swd_{level}', float(value), reals=floor.get(level),
                about=protocol) for level, value in found.items()]


def _intra_fid(pair):
  """Mean over the classes of the distance within one.

  Miyato & Koyama 2018 (arXiv:1802.05637), sec. 4.1.
  """
  spec, ddof = pair.spec, pair.protocol.ddof

  def distance(real, fake):
    return frechet.frechet(
        frechet.moments(real), frechet.moments(fake), ddof).value

  found = within.by_class(
      distance, pair.features('real', spec), pair.labels('real'),
      pair.features('fake', spec), pair.labels('fake'))
  value = found.pop('mean')
  name = 'intra_fid' if _is_inception(spec) else 'intra_frechet'
  return [Score(name, value, features=spec,
                about={'by_class': _named(pair, found)})]


def _class_accuracy(pair):
  """Share of samples that a classifier of reals takes for their class.

  Shmelkov et al. 2018 (arXiv:1807.09499) call it GAN-train and GAN-test; this
  is GAN-test.
  """
  value, real = (within.accuracy(
      pair.features(side, CLASSES), pair.labels(side))
                 for side in ('fake', 'real'))
  right = pair.extractor('classifier').about['held_out_accuracy']
  return [Score('class_accuracy', value, _of_share(value, pair.n('fake')),
                CLASSES, real, {'classifier': right})]


def _memorised(pair):
  """How near samples lie to training pictures, beside held-out reals.

  Half of the samples of a generator that copies nothing lie nearer to training
  pictures than to as many held-out ones.
  """
  spec = pair.manifold_spec
  side = 'train' if pair.options.train else 'real'
  train, fake = pair.features(side, spec), pair.features('fake', spec)
  found = memorised.authenticity(train, fake)
  share = found['authentic']
  # Of fresh pictures: it depends on how many there are to be near to.
  fresh = side == 'train' and pair.options.held_out is not None
  scores = [Score(
      'authentic', share, _of_share(share, len(fake)), spec,
      memorised.authenticity(train, pair.features('held_out', spec))[
          'authentic'] if fresh else None,
      {'copies': int((found['distance'] == 0).sum())})]
  if fresh:
    found = memorised.nearer_to_train(
        train, pair.features('held_out', spec), fake, pair.options.seed)
    scores.append(Score(
        'nearer_to_train', found['share'], found['standard_error'], spec,
        .5, {'rows': found['rows']}))
  return scores


def _ppl(pair):
  """Path length by LPIPS, or, where features are given, by their distance."""
  paths = getattr(pair.fake, 'paths', None)
  if paths is None:
    raise ValueError('--metrics: ppl walks through latents; wanted a run, as '
                     '--workdir=RUN, and not pictures alone.')
  spec = _path_spec(pair)
  distance = pair.perceptual() if spec == LPIPS else pair.between(spec)
  found = path_length.path_length(
      paths.draw, lambda w, key: 127.5 * paths.synthesize(w, key) + 127.5,
      distance, space=paths.space, count=pair.n('fake'),
      seed=pair.options.seed)
  return [Score('ppl' if spec == LPIPS else 'path_length', found.pop('value'),
                found.pop('standard_error'), spec, about=found)]


def _path_spec(pair):
  local = pair.options.name == 'local' or pair.options.features
  return pair.spec if local else LPIPS


def _factors(pair):
  return [Score(**row) for row in factors_lib.scores(pair)]


def _polygons(pair):
  return [Score(**row) for row in manifold.scores(pair)]


def _of_share(share, n):
  """Standard error of a share of n independent pictures."""
  return float(np.sqrt(share * (1 - share) / n))


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


def _logits_spec(pair):
  name, _ = features_lib.parse(pair.spec)
  logits = features_lib.FEATURES[name].logits
  if logits is None:
    raise ValueError(
        f'--metrics: is: {name} has no classes to be sure of; wanted '
        '--features=inception or --features=classifier.')
  return f'{name}:{logits[0 if pair.protocol.bias else 1]}'


def _is_inception(spec):
  return ':'.join(features_lib.parse(spec)) == INCEPTION


def _plain(found):
  return {k: v.tolist() if isinstance(v, np.ndarray) else v
          for k, v in found.items()}


def _named(pair, by_class):
  return {pair.real.classes[int(k)]: float(v) for k, v in by_class.items()}


def _none(pair):
  return ()


def _by_class(name, needs):
  def checked(pair):
    _labelled(pair, name)
    return needs(pair)
  return checked


def _path_needs(pair):
  spec = _path_spec(pair)
  if spec != LPIPS:
    return (spec,)
  pair.perceptual()  # Its weights are looked for now, and not after all else.
  return ()


def _spec(pair):
  return (pair.spec,)


def _manifold_spec(pair):
  return (pair.manifold_spec,)


METRICS = tables.Table('--metrics', 'metric', {
    'fid': Metric(_spec, _fid),
    'fid_infinity': Metric(_spec, _fid_infinity),
    'kid': Metric(_spec, _kid),
    'is': Metric(lambda p: (_logits_spec(p),), _is),
    'precision_recall': Metric(_manifold_spec, _precision_recall),
    'density_coverage': Metric(_manifold_spec, _density_coverage),
    'ms_ssim': Metric(_none, _ms_ssim),
    'ms_ssim_within': Metric(
        _by_class('ms_ssim_within', _none), _ms_ssim_within),
    'swd': Metric(_none, _swd),
    'intra_fid': Metric(_by_class('intra_fid', _spec), _intra_fid),
    'class_accuracy': Metric(
        _by_class('class_accuracy', lambda p: (CLASSES,)), _class_accuracy),
    'memorised': Metric(_manifold_spec, _memorised),
    'ppl': Metric(_path_needs, _ppl),
    'factors': Metric(lambda p: factors_lib.taps(p.real), _factors),
    'polygons': Metric(_none, _polygons),
})


def name_of(key):
  """The name of a score whose `scores.key` it is, or ''.

  'fid_infinity_ada' is of 'fid_infinity', and not of 'fid'.
  """
  known = {*METRICS, *(name for names in NAMES.values() for name in names)}
  fits = [name for name in known if f'{key}_'.startswith(f'{name}_')]
  return max(fits, key=len, default='')
