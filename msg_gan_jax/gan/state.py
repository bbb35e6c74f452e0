"""What a GAN is between two steps: arrays only, one tree."""
from typing import Any, NamedTuple

from flax import struct
import jax


class Condition(NamedTuple):
  """What both players are told beside z or the images.

  Attributes:
    labels: int32 [B], or None where nobody is told classes.
    coarse: [B, H, W, C], the picture that a residual is added to, at the size
      of the level (LAPGAN), or None.
    alpha: [B], 0 .. 1, how far the finest level has faded in, or None where
      nothing fades.
  """
  labels: Any = None
  coarse: Any = None
  alpha: Any = None


NOTHING = Condition()


class Verdict(NamedTuple):
  """What D says of B images.

  Attributes:
    logits: [B], higher for real.
    classes: [B, K] logits of an auxiliary classifier, or None.
  """
  logits: jax.Array
  classes: Any = None


@struct.dataclass
class Player:
  """One network: parameters, statistics, optimizer state.

  Statistics are what passes leave behind and no gradient moves: the moments
  of batch norm, the vectors of a spectral norm.
  """
  params: Any
  stats: Any
  opt: Any


@struct.dataclass
class State:
  """A GAN in training.

  Attributes:
    images: int32, real images shown to D.
    g, d: the players.
    ema: the averaged G: parameters and statistics, no optimizer state.
    hyper: settings that a study varies continuously, float32 scalars.
    aux: what feedback between steps needs.
  """
  images: Any
  g: Player
  d: Player
  ema: Player
  hyper: Any
  aux: Any
