"""LOSSES: what D and G minimize, as functions of D's verdicts.

Every loss is a mean over the batch, and safe at any finite logit: log and
exp meet only inside softplus.
"""
from typing import NamedTuple, Protocol

import jax
from jax import nn
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan.state import Verdict


class LossFunction(Protocol):
  """What one player minimizes."""

  def __call__(self, real: Verdict, fake: Verdict, /) -> jax.Array:
    """Verdicts with logits [B] about reals and fakes -> a scalar.

    G may have more fakes than there are reals, where the loss does not compare
    them.
    """


class Loss(NamedTuple):
  """A row of LOSSES.

  Attributes:
    d: what D minimizes.
    g: what G minimizes.
    separable: whether both are means over samples, so that a batch may be
      computed in parts.
    compares: whether G too looks at the reals.
    undecided_at_0: whether a D that cannot tell a picture gives it 0, so that
      the sign of a logit is a decision.
  """
  d: LossFunction
  g: LossFunction
  separable: bool = True
  compares: bool = False
  undecided_at_0: bool = False


def logistic_d(real: Verdict, fake: Verdict) -> jax.Array:
  """-log sigmoid(real) - log(1 - sigmoid(fake)).

  Source: Goodfellow et al. 2014 (arXiv:1406.2661), eq. 1.
  """
  return nn.softplus(-real.logits).mean() + nn.softplus(fake.logits).mean()


def non_saturating_g(real: Verdict, fake: Verdict) -> jax.Array:
  """-log sigmoid(fake).

  Source: Goodfellow et al. 2014 (arXiv:1406.2661), sec. 3.
  """
  del real
  return nn.softplus(-fake.logits).mean()


def minimax_g(real: Verdict, fake: Verdict) -> jax.Array:
  """log(1 - sigmoid(fake)).

  Source: Goodfellow et al. 2014 (arXiv:1406.2661), eq. 1.
  """
  del real
  return -nn.softplus(fake.logits).mean()


def hinge_d(real: Verdict, fake: Verdict) -> jax.Array:
  """max(0, 1 - real) + max(0, 1 + fake).

  Source: Lim & Ye 2017 (arXiv:1705.02894); Miyato et al. 2018
  (arXiv:1802.05957), eq. 16.
  """
  return (nn.relu(1 - real.logits).mean() + nn.relu(1 + fake.logits).mean())


def linear_g(real: Verdict, fake: Verdict) -> jax.Array:
  """-fake: G's side of the hinge loss and of the Wasserstein loss.

  Source: Miyato et al. 2018 (arXiv:1802.05957), eq. 17; Arjovsky et al. 2017
  (arXiv:1701.07875), algorithm 1.
  """
  del real
  return -fake.logits.mean()


def wasserstein_d(real: Verdict, fake: Verdict) -> jax.Array:
  """fake - real.

  Source: Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1.
  """
  return fake.logits.mean() - real.logits.mean()


def least_squares_d(real: Verdict, fake: Verdict) -> jax.Array:
  """((real - 1)^2 + fake^2) / 2 of raw logits.

  Source: Mao et al. 2017 (arXiv:1611.04076), eq. 9.
  """
  return .5 * (((real.logits - 1)**2).mean() + (fake.logits**2).mean())


def least_squares_g(real: Verdict, fake: Verdict) -> jax.Array:
  """(fake - 1)^2 / 2 of raw logits.

  Source: Mao et al. 2017 (arXiv:1611.04076), eq. 9.
  """
  del real
  return .5 * ((fake.logits - 1)**2).mean()


def least_squares_sigmoid_d(real: Verdict, fake: Verdict) -> jax.Array:
  """`least_squares_d` of probabilities in place of logits.

  Source: Kurach et al. 2019 (arXiv:1807.04720); compare_gan, loss_lib.py.
  """
  return least_squares_d(_sigmoids(real), _sigmoids(fake))


def least_squares_sigmoid_g(real: Verdict, fake: Verdict) -> jax.Array:
  """`least_squares_g` of probabilities in place of logits.

  Source: Kurach et al. 2019 (arXiv:1807.04720); compare_gan, loss_lib.py.
  """
  return least_squares_g(_sigmoids(real), _sigmoids(fake))


def least_squares_bmsg_d(real: Verdict, fake: Verdict) -> jax.Array:
  """`least_squares_d` of the mean logit of each batch.

  Source: the code of BMSG-GAN (github.com/akanimax/BMSG-GAN), Losses.py.
  """
  return least_squares_d(_mean(real), _mean(fake))


def least_squares_bmsg_g(real: Verdict, fake: Verdict) -> jax.Array:
  """`least_squares_g` of the mean logit of the batch.

  Source: the code of BMSG-GAN (github.com/akanimax/BMSG-GAN), Losses.py.
  """
  return least_squares_g(_mean(real), _mean(fake))


def relativistic_average_hinge_d(real: Verdict, fake: Verdict) -> jax.Array:
  """The hinge loss of each logit less the mean logit of the other side.

  Source: Jolicoeur-Martineau 2018 (arXiv:1807.00734), appendix; the sum of both
  sides, without a half, is BMSG-GAN's.
  """
  r, f = real.logits, fake.logits
  return (nn.relu(1 - (r - f.mean())).mean() +
          nn.relu(1 + (f - r.mean())).mean())


def relativistic_average_hinge_g(real: Verdict, fake: Verdict) -> jax.Array:
  """D's loss with reals and fakes exchanged.

  Source: Jolicoeur-Martineau 2018 (arXiv:1807.00734), appendix.
  """
  return relativistic_average_hinge_d(fake, real)


def relativistic_d(real: Verdict, fake: Verdict) -> jax.Array:
  """-log sigmoid(real - fake) of pairs of a real and a fake.

  Source: Jolicoeur-Martineau 2018 (arXiv:1807.00734), eq. 3.
  """
  return nn.softplus(fake.logits - real.logits).mean()


def relativistic_g(real: Verdict, fake: Verdict) -> jax.Array:
  """D's loss with reals and fakes exchanged.

  Source: Jolicoeur-Martineau 2018 (arXiv:1807.00734), beside eq. 3.
  """
  return relativistic_d(fake, real)


def drift(real: Verdict) -> jax.Array:
  """E[D(real)^2], a scalar: the term of ProGAN that keeps logits near zero.

  Source: Karras et al. 2018 (arXiv:1710.10196), appendix A.1, weight .001.
  """
  return jnp.mean(real.logits**2)


def classification(verdict: Verdict, labels: jax.Array | None) -> jax.Array:
  """-log p(label) of the auxiliary classifier, a scalar.

  Args:
    verdict: Verdict with classes [B, K].
    labels: int32 [B].

  Source: Odena et al. 2017 (arXiv:1610.09585), eq. 3.
  """
  assert verdict.classes is not None and labels is not None
  logits = jnp.take_along_axis(verdict.classes, labels[:, None], -1)[:, 0]
  return (nn.logsumexp(verdict.classes, -1) - logits).mean()


def _sigmoids(verdict):
  return verdict._replace(logits=nn.sigmoid(verdict.logits))


def _mean(verdict):
  return verdict._replace(logits=verdict.logits.mean(keepdims=True))


LOSSES: tables.Table[Loss] = tables.Table('config.objective.loss', 'loss', {
    'non_saturating': Loss(
        logistic_d, non_saturating_g, undecided_at_0=True),
    'minimax': Loss(logistic_d, minimax_g, undecided_at_0=True),
    'hinge': Loss(hinge_d, linear_g, undecided_at_0=True),
    'wasserstein': Loss(wasserstein_d, linear_g),
    'least_squares': Loss(least_squares_d, least_squares_g),
    'least_squares_sigmoid': Loss(
        least_squares_sigmoid_d, least_squares_sigmoid_g, undecided_at_0=True),
    'least_squares_bmsg': Loss(
        least_squares_bmsg_d, least_squares_bmsg_g, separable=False),
    'relativistic_average_hinge': Loss(
        relativistic_average_hinge_d, relativistic_average_hinge_g,
        separable=False, compares=True),
    # RpGAN: the pairing of R3GAN (Huang et al. 2024, arXiv:2501.05441).
    'relativistic': Loss(relativistic_d, relativistic_g, compares=True),
})
