"""What a GAN is between two steps: arrays only, one tree."""
from typing import Any, NamedTuple, Protocol

from flax import struct
import jax

# A tree of arrays: parameters, statistics, moments of an optimizer.
Tree = Any


class Condition(NamedTuple):
  """What both players are told beside z or the images.

  Attributes:
    labels: int32 [B], or None where the GAN is unconditional. Of G outside of
      training also shares of the classes, float32 [B, classes].
    coarse: [B, H, W, C], the picture that a residual is added to, at the size
      of the level (LAPGAN), or None.
    alpha: [B], 0 .. 1, how far the finest level has faded in, or None where
      nothing fades.
  """
  labels: jax.Array | None = None
  coarse: jax.Array | None = None
  alpha: jax.Array | None = None


NOTHING = Condition()


class Verdict(NamedTuple):
  """What D says about B images.

  Attributes:
    logits: [B], higher for real.
    classes: [B, K] logits of an auxiliary classifier, or None.
  """
  logits: jax.Array
  classes: jax.Array | None = None


class RealBatch(Protocol):
  """What a step needs to see of the data, such as a data.batches.Batch."""

  @property
  def images(self) -> jax.Array:
    """uint8 or float32 [n, B, H, W, C], a batch for each D update.

    With train.g_reals = 'new' there is one more, for the update of G.
    """

  @property
  def labels(self) -> jax.Array:
    """int32 [n, B]; not used where the GAN is unconditional."""


class Player(struct.PyTreeNode):
  """One network: parameters, statistics, optimizer state.

  Statistics are what passes leave behind and no gradient moves: the moments
  of batch norm, the vectors of a spectral norm.
  """
  params: Tree
  stats: Tree
  opt: Tree


class State(struct.PyTreeNode):
  """A GAN in training.

  Attributes:
    images: int32, real images shown to D.
    g, d: the players.
    ema: the averaged G: parameters and statistics, no optimizer state.
    hyper: {name: float32 scalar}, settings that a study varies continuously.
    aux: {name: values} that one step hands to the next: the strength of an
      adaptive augmentation, the mean path length, the stage of growing.
  """
  images: jax.Array
  g: Player
  d: Player
  ema: Player
  hyper: dict[str, jax.Array]
  aux: dict[str, Any]
