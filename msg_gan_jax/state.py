"""What a GAN is between two steps: arrays only, one tree."""
from typing import Any, NamedTuple

from flax import struct
import jax


class Batch(NamedTuple):
  """Real images for one step, and their labels.

  Attributes:
    images: uint8 [n_dis, B, H, W, C], a batch for each D update; points,
      [.., 1, 1, 2], are float32.
    labels: int32 [n_dis, B].
  """
  images: jax.Array
  labels: jax.Array


class Verdict(NamedTuple):
  """What D says of B images: logits [B], higher for real."""
  logits: jax.Array


@struct.dataclass
class Player:
  """One network in training: parameters, statistics, optimizer state."""
  params: Any
  stats: Any
  opt: Any


@struct.dataclass
class State:
  """A GAN in training.

  Attributes:
    images: int32, real images shown to D.
    g, d: the players.
    ema: averaged parameters of G.
    hyper: settings that a study varies continuously, float32 scalars.
    aux: what feedback between steps needs.
  """
  images: Any
  g: Player
  d: Player
  ema: Any
  hyper: Any
  aux: Any
