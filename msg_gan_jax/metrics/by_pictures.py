"""Scores that compare pictures as they are."""
from msg_gan_jax.metrics.functional import (
  ms_ssim as similarity,
)
from msg_gan_jax.metrics.functional import (
  references,
  sliced_wasserstein,
)
from msg_gan_jax.metrics.score import Score, named

_PAIRS = 10_000  # Karras et al. 2018.
_LANDSCAPE = 5, 64  # Batches, and pictures in one.


def ms_ssim(pair):
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
          pair.images(side, 2 * _PAIRS),
          min(_PAIRS, pair.n(side) // 2), pair.options.seed,
          _form(pair))
  found = values['fake']
  form = similarity.LANDSCAPE if landscape else _form(pair)
  return [Score('ms_ssim', found['value'], found.get('standard_error'),
                reals=values['real']['value'], about={
                    'form': form._asdict(), 'pairs': found['pairs']},
                warnings=tuple(found['warnings']))]


def ms_ssim_within(pair):
  values = {side: similarity.within(
      pair.images(side, 2 * _PAIRS),
      pair.labels(side, 2 * _PAIRS), seed=pair.options.seed,
      form=_form(pair)) for side in ('fake', 'real')}
  found = values['fake']
  return [Score('ms_ssim_within', found.pop('mean'),
                reals=values['real']['mean'],
                about={'by_class': named(pair, found)})]


def _form(pair):
  """ProGAN's, which halves four times; where sides do not allow it, the other.
  """
  height, width, _ = pair.real.shape
  return similarity.LANDSCAPE if height % 16 or width % 16 else (
      similarity.PROGAN)


def swd(pair):
  real, fake = (pair.images(side, pair.protocol.sliced)
                for side in ('real', 'fake'))
  seed = pair.options.seed
  found = sliced_wasserstein.swd(real, fake, seed)
  floor = pair.once(
    'sliced floor',
    lambda: (
      sliced_wasserstein.swd(*references.halves(real, seed), seed)
      if len(real) >= 4
      else {}
    ),
  )
  protocol = found.pop('protocol')
  return [Score(f'swd_{level}', float(value), reals=floor.get(level),
                about=protocol) for level, value in found.items()]
