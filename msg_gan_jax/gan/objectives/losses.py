"""LOSSES: what D and G minimize, as functions of their verdicts.

Every loss is a mean over the batch, and safe at any finite logit: log and
exp meet only inside softplus.
"""
from collections.abc import Callable
from typing import NamedTuple

from jax import nn
import jax.numpy as jnp

from msg_gan_jax.config import tables


class Loss(NamedTuple):
  """A pair of functions (real: Verdict, fake: Verdict) -> scalar.

  Attributes:
    d: what D minimizes.
    g: what G minimizes.
    separable: whether both are means over samples, so that a batch may be
      computed in parts.
    compares: whether G too looks at the reals.
    undecided_at_0: whether a D that cannot tell a picture gives it 0, so that
      signs mean something.
  """
  d: Callable
  g: Callable
  separable: bool = True
  compares: bool = False
  undecided_at_0: bool = False


def _logistic_d(real, fake):
  """-log sigmoid(real) - log(1 - sigmoid(fake)); Goodfellow et al. 2014."""
  return nn.softplus(-real.logits).mean() + nn.softplus(fake.logits).mean()


def _non_saturating_g(real, fake):
  """-log sigmoid(fake); Goodfellow et al. 2014, sec. 3."""
  del real
  return nn.softplus(-fake.logits).mean()


def _minimax_g(real, fake):
  """log(1 - sigmoid(fake)); Goodfellow et al. 2014, eq. 1."""
  del real
  return -nn.softplus(fake.logits).mean()


def _hinge_d(real, fake):
  """Lim & Ye 2017 (arXiv:1705.02894); Miyato et al. 2018, eq. 16."""
  return (nn.relu(1 - real.logits).mean() + nn.relu(1 + fake.logits).mean())


def _linear_g(real, fake):
  """-fake: hinge (Miyato et al. 2018, eq. 17) and Wasserstein."""
  del real
  return -fake.logits.mean()


def _wasserstein_d(real, fake):
  """fake - real; Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1."""
  return fake.logits.mean() - real.logits.mean()


def _least_squares_d(real, fake):
  """Mao et al. 2017 (arXiv:1611.04076), eq. 9, on raw logits."""
  return .5 * (((real.logits - 1)**2).mean() + (fake.logits**2).mean())


def _least_squares_g(real, fake):
  del real
  return .5 * ((fake.logits - 1)**2).mean()


def _sigmoids(verdict):
  return verdict._replace(logits=nn.sigmoid(verdict.logits))


def _means(verdict):
  return verdict._replace(logits=verdict.logits.mean(keepdims=True))


def _of(transform, function):
  """`function` of both verdicts, each transformed."""
  return lambda real, fake: function(transform(real), transform(fake))


def _relativistic_average_hinge_d(real, fake):
  """Jolicoeur-Martineau 2018 (arXiv:1807.00734), appendix; BMSG-GAN's sum."""
  r, f = real.logits, fake.logits
  return (nn.relu(1 - (r - f.mean())).mean() +
          nn.relu(1 + (f - r.mean())).mean())


def _relativistic_average_hinge_g(real, fake):
  return _relativistic_average_hinge_d(fake, real)


def _relativistic_d(real, fake):
  """-log sigmoid(real - fake) of pairs; Jolicoeur-Martineau 2018, eq. 3."""
  return nn.softplus(fake.logits - real.logits).mean()


def _relativistic_g(real, fake):
  return _relativistic_d(fake, real)


def drift(real):
  """E[D(real)^2], ProGAN's term that keeps the critic near zero.

  Source: Karras et al. 2018, appendix A.1, weight .001.
  """
  return jnp.mean(real.logits**2)


def classification(verdict, labels):
  """-log p(label), of the auxiliary classifier: Odena et al. 2017, eq. 3.

  Args:
    verdict: Verdict with classes [B, K].
    labels: int32 [B].
  """
  own = jnp.take_along_axis(verdict.classes, labels[:, None], -1)[:, 0]
  return (nn.logsumexp(verdict.classes, -1) - own).mean()


LOSSES = tables.Table('config.objective.loss', 'loss', {
    'non_saturating': Loss(
        _logistic_d, _non_saturating_g, undecided_at_0=True),
    'minimax': Loss(_logistic_d, _minimax_g, undecided_at_0=True),
    'hinge': Loss(_hinge_d, _linear_g, undecided_at_0=True),
    'wasserstein': Loss(_wasserstein_d, _linear_g),
    'least_squares': Loss(_least_squares_d, _least_squares_g),
    # compare_gan (the GAN Landscape) squares the probabilities.
    'least_squares_sigmoid': Loss(
        _of(_sigmoids, _least_squares_d), _of(_sigmoids, _least_squares_g),
        undecided_at_0=True),
    # BMSG-GAN squares the mean of the batch.
    'least_squares_bmsg': Loss(
        _of(_means, _least_squares_d), _of(_means, _least_squares_g), False),
    'relativistic_average_hinge': Loss(
        _relativistic_average_hinge_d, _relativistic_average_hinge_g, False,
        compares=True),
    # RpGAN: the pairing of R3GAN (Huang et al. 2024).
    'relativistic': Loss(_relativistic_d, _relativistic_g, compares=True),
})
