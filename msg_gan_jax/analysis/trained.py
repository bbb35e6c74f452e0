"""A GAN that has learned: latents to styles, styles to pictures for people."""
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import pixels
from msg_gan_jax.gan import pyramid

# Pictures of the finest level computed at once: 64 at 128 px, 1 at 1024 px.
PIXELS = 64 * 128**2
COMPANY = 63  # Pictures beside one whose batch norm looks at its batch.


class Trained:
  """What walks, grids and projections need of a run.

  A style is what `gan.synthesize` draws: w [layers, width] where there is a
  mapping network, elsewhere the latent z, with its label if G is told of it so.

  Args:
    config: Config of the run.
    gan: what `gan.build` makes of it.
    state: State.
    weights: 'ema' or 'raw'.

  Attributes:
    gan, weights: as given.
    state: settled.
    law: of z, config.networks.latent_law.
    layers: how many have a style of their own; 0 without a mapping network.
    shape: (height, width, channels) of the finest pictures.

  Raises:
    ValueError: the run draws points and no pictures.
  """

  def __init__(self, config, gan, state, weights='ema'):
    if pyramid.are_points(gan.shapes[-1]):
      raise ValueError(
          f'--mode: this run draws points of the plane ({config.data.name}); '
          'wanted one that draws pictures.')
    self.gan, self.weights = gan, weights
    self.state = gan.settle(state)
    self.law = config.networks.latent_law
    self.layers, self.shape = gan.layers, gan.shapes[-1]
    self._company = None
    if config.networks.statistics == 'batch':
      # Or a picture would change with those that happen to be drawn with it.
      labels = self.turns(COMPANY)
      z = gan.draw(jax.random.key(0), COMPANY)
      self._company = self.styles(z, labels), labels
    self._pixels = jax.jit(lambda state, w, labels: jax.tree.map(
        pixels.to_uint8, self.pyramid(state, w, labels)))

  def turns(self, n):
    """Labels int32 [n], all classes in turn; None where there are none."""
    if not self.gan.classes:
      return None
    return np.arange(n, dtype=np.int32) % self.gan.classes

  def styles(self, z, labels=None):
    """Latents [n, latent], labels int32 [n] or None -> styles [n, ...]."""
    return np.asarray(
        self.gan.latents(self.state, z, labels, weights=self.weights))

  def mean(self):
    """The mean style, [1, layers, width]; there must be a mapping network."""
    z = self.gan.draw(jax.random.key(0), 1)
    return np.asarray(self.gan.latents(
        self.state, z, self.turns(1), weights=self.weights, psi=0.))

  def truncate(self, w, psi, cutoff=None):
    """mean + psi (w - mean), in the first `cutoff` layers or in all.

    Source: Karras et al. 2019 (arXiv:1812.04948), appendix B. With psi = 1
    nothing is computed, so that the pictures are those of `gan.sample`.
    """
    if psi == 1:
      return w
    mean, near = self.mean(), np.array(w)
    near[:, :cutoff] = (mean + psi * (w - mean))[:, :cutoff]
    return near

  def pyramid(self, state, w, labels):
    """Styles [n, ...] -> pyramid of floats, pure: for `jax.jit` and gradients.

    Of networks whose batch norm looks at the batch, each picture is drawn
    beside the same others: n should be small.
    """
    n = len(w)
    if self._company is not None:
      w = jnp.concatenate([w, self._company[0]])
      labels = labels if labels is None else jnp.concatenate(
          [labels, self._company[1]])
    return jax.tree.map(lambda x: x[:n], self.gan.synthesize(
        state, w, labels, weights=self.weights))

  @property
  def at_once(self):
    """How many pictures are drawn in one call."""
    if self._company is not None:
      return 1
    return max(1, min(64, PIXELS // (self.shape[0] * self.shape[1])))

  def images(self, w, labels=None):
    """Yields a pyramid of uint8 [H, W, C] for each style, coarse to fine."""
    size = min(self.at_once, len(w))
    for i in range(0, len(w), size):
      # Whole chunks, so that there is one program; the last one's end is cut.
      rows = np.minimum(np.arange(i, i + size), len(w) - 1)
      levels = jax.device_get(self._pixels(
          self.state, w[rows], None if labels is None else labels[rows]))
      yield from zip(*(x[:len(w) - i] for x in levels), strict=True)

  def finest(self, w, labels=None):
    """uint8 [n, H, W, C] of the finest level."""
    return np.stack([levels[-1] for levels in self.images(w, labels)])
