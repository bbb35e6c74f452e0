"""Scores that compare features of pictures."""
import numpy as np

from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.functional import (
  frechet,
  inception_score,
  memorisation,
  path_length,
  per_class,
)
from msg_gan_jax.metrics.functional import (
  kid as kernel,
)
from msg_gan_jax.metrics.functional import (
  precision_recall as neighbours,
)
from msg_gan_jax.metrics.score import Score, named, of_share

INCEPTION = 'inception:2048'  # Of other features, FID has another name.
CLASSES = 'classifier:logits'
LPIPS = 'lpips'
_NEIGHBOURS_K = 5  # Naeem et al. 2020.


def fid(pair):
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


def fid_infinity(pair):
  spec = pair.spec
  found = frechet.infinity(
      pair.moments('real', spec), pair.features('fake', spec),
      seed=pair.options.seed, ddof=pair.protocol.ddof)
  name = 'fid_infinity' if _is_inception(spec) else 'frechet_infinity'
  value = found.pop('value')
  warnings = tuple(found.pop('warnings', ()))
  return [Score(name, value, found.pop('standard_error'), spec,
                about=_plain(found), warnings=warnings)]


def kid(pair):
  spec, protocol = pair.spec, pair.protocol

  def kid(a, b):
    return kernel.kid(a, b, protocol.subsets, protocol.subset)

  found = kid(pair.features('real', spec), pair.features('fake', spec))
  floor = pair.floor(('kid', spec), lambda a, b: kid(a, b)['value'])
  warnings = tuple(found.pop('warnings', ()))
  return [Score('kid', found.pop('value'), found.pop('standard_error'), spec,
                floor, _plain(found), warnings)]


def classes(pair):
  """The inception score; of another classifier, the classifier score."""
  protocol, spec = pair.protocol, logits_spec(pair)
  name = 'is' if _is_inception(pair.spec) else 'classifier_score'
  scores = {}
  for side in ('fake', 'real'):
    logits = pair.features(side, spec)
    parts = min(protocol.splits, len(logits))
    # The reals, whose order may be that of their classes, are always shuffled.
    scores[side] = inception_score.score(
        logits, parts, protocol.shuffle or side == 'real')
  found = scores['fake']
  # The parts are independent, so the error of their mean is as of any mean.
  error = found['std'] / np.sqrt(max(found['splits'] - 1, 1)) if (
      found['splits'] > 1) else None
  return [Score(name, found['value'], error, spec, scores['real']['value'],
                {'std': found['std'], 'splits': found['splits']},
                tuple(found.get('warnings', ())))]


def precision_recall(pair):
  return _manifold(pair, neighbours.precision_recall, pair.protocol.k,
                   closed=pair.protocol.closed)


def density_coverage(pair):
  return _manifold(pair, neighbours.density_coverage, _NEIGHBOURS_K)


def _manifold(pair, measure, k, **rule):
  spec = pair.manifold_spec
  found = measure(
      pair.features('real', spec), pair.features('fake', spec), k=k, **rule)
  floor = pair.floor((measure.__name__, spec), lambda a, b: measure(
      a, b, k=k, **rule) if len(a) > k else {}) or {}
  # Precision is a share of independent fakes. The others are of reals, near to
  # fakes that they have in common: no such law holds.
  error = {'precision': of_share(found.get('precision', 0), pair.n('fake'))}
  return [Score(
      name, found[name], error.get(name), spec, floor.get(name), {'k': k})
          for name in ('precision', 'recall', 'density', 'coverage')
          if name in found]


def intra_fid(pair):
  """Mean over the classes of the distance within one.

  Miyato & Koyama 2018 (arXiv:1802.05637), sec. 4.1.
  """
  spec, ddof = pair.spec, pair.protocol.ddof

  def distance(real, fake):
    return frechet.frechet(
        frechet.moments(real), frechet.moments(fake), ddof).value

  found = per_class.by_class(
      distance, pair.features('real', spec), pair.labels('real'),
      pair.features('fake', spec), pair.labels('fake'))
  value = found.pop('mean')
  name = 'intra_fid' if _is_inception(spec) else 'intra_frechet'
  return [Score(name, value, features=spec,
                about={'by_class': named(pair, found)})]


def class_accuracy(pair):
  """Share of samples that a classifier of reals takes for their class.

  Shmelkov et al. 2018 (arXiv:1807.09499) call it GAN-train and GAN-test; this
  is GAN-test.
  """
  value, real = (per_class.accuracy(
      pair.features(side, CLASSES), pair.labels(side))
                 for side in ('fake', 'real'))
  right = pair.extractor('classifier').about['held_out_accuracy']['label']
  return [Score('class_accuracy', value, of_share(value, pair.n('fake')),
                CLASSES, real, {'classifier': right})]


def memories(pair):
  """How near samples lie to training pictures, beside held-out reals.

  Half of the samples of a generator that copies nothing lie nearer to training
  pictures than to as many held-out ones.
  """
  spec = pair.manifold_spec
  side = 'train' if pair.options.train else 'real'
  train, fake = pair.features(side, spec), pair.features('fake', spec)
  found = memorisation.authenticity(train, fake)
  share = found['authentic']
  # Of fresh pictures: it depends on how many there are to be near to.
  fresh = side == 'train' and pair.options.held_out is not None
  scores = [Score(
      'authentic', share, of_share(share, len(fake)), spec,
      pair.once(('authentic', spec), lambda: memorisation.authenticity(
          train, pair.features('held_out', spec))['authentic']) if (
              fresh) else None,
      {'copies': int((found['distance'] == 0).sum())})]
  if fresh:
    found = memorisation.nearer_to_train(
        train, pair.features('held_out', spec), fake, pair.options.seed)
    scores.append(Score(
        'nearer_to_train', found['share'], found['standard_error'], spec,
        .5, {'rows': found['rows']}))
  return scores


def ppl(pair):
  """Path length by LPIPS, or, where features are given, by their distance."""
  paths = getattr(pair.fake, 'paths', None)
  if paths is None:
    raise ValueError('--metrics: ppl walks through latents; wanted a run, as '
                     '--workdir=RUN, and not pictures alone.')
  spec = path_spec(pair)
  distance = pair.perceptual() if spec == LPIPS else pair.between(spec)
  found = path_length.path_length(
      paths.draw, lambda w, key: 127.5 * paths.synthesize(w, key) + 127.5,
      distance, space=paths.space, count=pair.n('fake'),
      seed=pair.options.seed)
  return [Score('ppl' if spec == LPIPS else 'path_length', found.pop('value'),
                found.pop('standard_error'), spec, about=found)]


def path_spec(pair):
  local = pair.options.name == 'local' or pair.options.features
  return pair.spec if local else LPIPS


def logits_spec(pair):
  name, _ = table.parse(pair.spec)
  logits = table.FEATURES[name].logits
  if logits is None:
    raise ValueError(
        f'--metrics: is: {name} has no classes to be sure of; wanted '
        '--features=inception or --features=classifier.')
  return f'{name}:{logits[0 if pair.protocol.bias else 1]}'


def _is_inception(spec):
  return ':'.join(table.parse(spec)) == INCEPTION


def _plain(found):
  return {k: v.tolist() if isinstance(v, np.ndarray) else v
          for k, v in found.items()}
