"""A GAN that has learned: latents to styles, styles to pictures for people."""
from collections.abc import Iterator
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import pixels
from msg_gan_jax.arrays.chunks import in_chunks
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.config import Config
from msg_gan_jax.gan import pyramid, sampling, synthesis
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.networks import mapping
from msg_gan_jax.gan.state import State

COMPANY = 63  # Pictures beside one whose batch norm looks at its batch.


@dataclasses.dataclass(frozen=True)
class Latents:
  """What films and figures are drawn from: latents, or styles.

  Attributes:
    z: float [n, latent], or None if w is given.
    w: float [n, width], one style for all layers, or None if z is given.
    labels: int32 [n], or None for all classes in turn; between classes shares
      of them, float32 [n, classes].
    psi, cutoff: how the styles are truncated; see `Trained.truncate`.

  Raises:
    ValueError: neither z nor w is given, or both are.
  """
  z: np.ndarray | None = None
  w: np.ndarray | None = None
  labels: np.ndarray | None = None
  psi: float = 1.
  cutoff: int | None = None

  def __post_init__(self) -> None:
    if (self.z is None) == (self.w is None):
      raise ValueError('z: wanted z or w, and not both.')

  @property
  def values(self) -> np.ndarray:
    """z or w, whichever is given."""
    return np.asarray(self.z if self.w is None else self.w)

  def __len__(self) -> int:
    return len(self.values)


class Trained:
  """A trained generator, taken apart: what walks and projections need.

  It draws in two steps. `styles` maps latents to styles, and `images` draws
  styles. A style is w [layers, width] where there is a mapping network; a GAN
  without one has the latent z for it, with its label if G sees labels so.

  Args:
    config: of the run.
    gan: what `gan.build` makes of it.
    state: of a checkpoint.
    weights: 'ema' or 'raw'.

  Attributes:
    config, gan, weights: as given.
    state: settled, which is how pictures are drawn.
    latent_law: the distribution of z, config.networks.latent_law.
    layers: how many layers have a style; 0 without a mapping network.
    shape: (height, width, channels) of the finest pictures.

  Raises:
    ValueError: the GAN draws points and not pictures; unknown `weights`.
  """

  def __init__(self, config: Config, gan: Gan, state: State,
               weights: str = 'ema') -> None:
    if pyramid.are_points(gan.shapes[-1]):
      raise ValueError(
          f'gan: it draws points of the plane ({config.data.name}); wanted one '
          'that draws pictures.')
    synthesis.check_weights(weights)
    self.config, self.gan, self.weights = config, gan, weights
    self.state: State = gan.settle(state)
    self.latent_law: str = config.networks.latent_law
    self.layers: int = gan.layers
    self.shape: tuple[int, int, int] = gan.shapes[-1]
    self._company: Any = None
    if config.networks.statistics == 'batch':
      # Or a picture would change with those that happen to be drawn with it.
      labels = self.labels_in_turn(COMPANY)
      z = gan.draw(jax.random.key(0), COMPANY)
      self._company = self.styles(z, labels), labels
    self._pixels = jit(lambda state, w, labels: jax.tree.map(
        pixels.to_uint8, self.pyramid(state, w, labels)))

  def labels_in_turn(self, n: int) -> np.ndarray | None:
    """int32 [n], all classes in turn; None if there are no classes."""
    return sampling.in_turn(n, self.gan.classes) if self.gan.classes else None

  def labels_of(self, latents: Latents) -> np.ndarray | None:
    """Labels of latents, int32 [n] or shares; None if there are no classes."""
    if latents.labels is None or not self.gan.classes:
      return self.labels_in_turn(len(latents))
    return latents.labels

  def labels_of_one_class(self, latents: Latents, what: str,
                          otherwise: str = '') -> np.ndarray | None:
    """Labels of latents that share a class: the first, where none is given.

    Args:
      latents: any number of them.
      what: is made of them, for the error.
      otherwise: what else may be wanted, for the error.

    Returns:
      int32 [n]; None if there are no classes.

    Raises:
      ValueError: they are of several classes.
    """
    labels = self.labels_of(latents)
    if labels is not None and latents.labels is None:
      labels = np.zeros_like(labels)
    if labels is not None and (labels != labels[0]).any():
      raise ValueError(f'labels: {what} in z stays in one class; wanted one, '
                       f'such as labels={labels[0]}{otherwise}.')
    return labels

  def styles(self, z: jax.Array | np.ndarray,
             labels: np.ndarray | None = None) -> np.ndarray:
    """Latents [n, latent], labels as Latents has them -> styles [n, ...]."""
    return np.asarray(
        self.gan.latents(self.state, z, labels, weights=self.weights))

  def styles_of(self, latents: Latents) -> np.ndarray:
    """Styles of latents, not truncated; of w there must be a mapping."""
    if latents.w is None:
      return self.styles(latents.values, self.labels_of(latents))
    return np.repeat(latents.w[:, None], self.layers, 1)

  def mean_style(self) -> np.ndarray:
    """The mean style, [1, layers, width]; there must be a mapping network."""
    z = self.gan.draw(jax.random.key(0), 1)
    return np.asarray(self.gan.latents(
        self.state, z, self.labels_in_turn(1), weights=self.weights, psi=0.))

  def truncate(self, w: np.ndarray, psi: float,
               cutoff: int | None = None) -> np.ndarray:
    """Styles [n, layers, width] nearer to the mean: see `mapping.truncate`.

    With psi = 1 nothing is computed, so that the pictures are those of
    `gan.sample`; without a mapping network nothing else is possible.
    """
    if psi == 1:
      return w
    return np.asarray(mapping.truncate(
        jnp.asarray(w), jnp.asarray(self.mean_style()), psi, cutoff))

  def pyramid(self, state: State, w: jax.Array | np.ndarray,
              labels: jax.Array | np.ndarray | None) -> tuple[jax.Array, ...]:
    """Styles [n, ...] -> floats [n, H, W, C] of each level, coarse to fine.

    It is pure: for `jax.jit` and gradients. If batch norm looks at the batch,
    each picture is drawn beside the same others, so n should be small.
    """
    n = len(w)
    if self._company is not None:
      w = jnp.concatenate([w, self._company[0]])
      if labels is not None:
        others = self._company[1]
        if labels.ndim == 2:  # Shares of classes.
          others = jax.nn.one_hot(others, self.gan.classes)
        labels = jnp.concatenate([labels, others])
    return jax.tree.map(lambda x: x[:n], self.gan.synthesize(
        state, w, labels, weights=self.weights))

  @property
  def at_once(self) -> int:
    """How many pictures are drawn in one call."""
    if self._company is not None:
      return 1
    return sampling.at_once(self.shape)

  def images(self, w: np.ndarray, labels: np.ndarray | None = None,
             ) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields uint8 [H, W, C] of each level for each style, coarse to fine."""
    for levels in in_chunks(lambda rows: self._pixels(
        self.state, w[rows], None if labels is None else labels[rows]),
                            len(w), min(self.at_once, len(w))):
      yield from zip(*levels, strict=True)

  def images_of(self, latents: Latents) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields what `images` does of latents, truncated as they say."""
    styles = self.truncate(
        self.styles_of(latents), latents.psi, latents.cutoff)
    return self.images(styles, self.labels_of(latents))

  def space_of(self, asked: str = '') -> str:
    """'z' or 'w' of what is asked for; '' is w if there is a mapping network.

    Raises:
      ValueError: another space, or w without a mapping network.
    """
    if asked not in ('', 'z', 'w'):
      raise ValueError(f"space: wanted 'z' or 'w', found {asked!r}.")
    if asked == 'w' and not self.layers:
      raise ValueError(
          "space: 'w', but this GAN has no mapping network; wanted 'z'.")
    return asked or ('w' if self.layers else 'z')

  def onto_law(self, z: np.ndarray) -> np.ndarray:
    """Latents [..., latent] put back on their sphere, if their law is that.

    G has seen no others: sums and means of latents leave it. What lies on it,
    up to rounding, stays as it is, and so does 0, which has no direction.
    """
    if self.latent_law != 'sphere':
      return z
    norm = np.linalg.norm(z, axis=-1, keepdims=True)
    factor = z.shape[-1]**.5 / np.maximum(norm, 1e-6)
    stays = (np.abs(factor - 1) < 1e-5) | (norm < 1e-6)
    return np.where(stays, z, z * factor).astype(z.dtype)

  def finest(self, w: np.ndarray,
             labels: np.ndarray | None = None) -> np.ndarray:
    """Styles [n, ...] -> uint8 [n, H, W, C] of the finest level."""
    return np.stack([levels[-1] for levels in self.images(w, labels)])
