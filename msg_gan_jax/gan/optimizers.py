"""OPTIMIZERS: rules that turn a gradient into a direction.

The learning rate is not part of a rule: `updates` multiplies the direction by
it, and subtracts.
"""
from typing import Protocol

import optax

from msg_gan_jax.config import tables


class Optimizer(Protocol):
  """A row of OPTIMIZERS: the settings of config.optimizer -> an optax rule."""

  def __call__(self, beta1: float, beta2: float,
               epsilon: float) -> optax.GradientTransformation:
    """Makes the rule; beta1 and beta2 may be traced.

    Its state must not depend on the three numbers: it is made with zeros.
    """


def adam(beta1: float, beta2: float,
         epsilon: float) -> optax.GradientTransformation:
  """The mean gradient over the root of the mean square gradient.

  Source: Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1.
  """
  return optax.scale_by_adam(beta1, beta2, epsilon)


def rmsprop(beta1: float, beta2: float,
            epsilon: float) -> optax.GradientTransformation:
  """The gradient over the root of the mean square gradient.

  Epsilon is added outside of the root, as in Adam; beta1 is not used.

  Source: Tieleman & Hinton 2012, lecture 6.5.
  """
  del beta1
  return optax.scale_by_rms(beta2, epsilon, eps_in_sqrt=False)


def sgd(beta1: float, beta2: float,
        epsilon: float) -> optax.GradientTransformation:
  """The gradient, with momentum beta1; beta2 and epsilon are not used.

  Source: Polyak 1964.
  """
  del beta2, epsilon
  return optax.trace(beta1)


OPTIMIZERS: tables.Table[Optimizer] = tables.Table(
    'config.optimizer.name', 'optimizer', {
        'adam': adam,
        'rmsprop': rmsprop,
        'sgd': sgd,
    })
