"""The dynamics of the game, looked at while it is played."""
from collections.abc import Mapping
import functools
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.config import Config
from msg_gan_jax.data.batches import Batch, Batches
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.gan import condition_number, dynamics
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.layer_operators import Layers
from msg_gan_jax.gan.state import State
from msg_gan_jax.training.observers import Observer, Values, View

PICTURES = 256  # Of each kind, whose logits and slopes are averaged.
LATENTS = 4     # Whose Jacobians of G are looked at.
KEY = 3         # Of the run's keys: those before it are the loop's.


class Cost(NamedTuple):
  """What a look costs, besides the norms of layers.

  Attributes:
    products: with the game's Jacobian.
    parameters: of both players in training, the numbers of a vector.
    basis_bytes: of the vectors that eigenvalues keep, on the host.
    rows: of G's Jacobians; 0 where it has none.
    flops: of all, with the step that is taken and forgotten left out.
  """
  products: int
  parameters: int
  basis_bytes: int
  rows: int
  flops: float


def cost(gan: Gan, batch: Batch, images: int) -> Cost:
  """What a look costs, by its programs, which are traced and not compiled.

  Args:
    gan: Gan.
    batch: shapes of the batch of a step.
    images: real images shown before the look.
  """
  components = dynamics.exact(gan.components)
  phase = dynamics.phase_of(components, images)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  n, latent = (dynamics.count(components, state, phase),
               components.config.networks.latent)
  products = dynamics.most_products(n)
  at_once = min(latent, phase.batch)
  calls = 0 if condition_number.why_none(components) else (
      LATENTS * -(-latent // at_once))

  def flops(function, *vectors):
    lowered = _programs(components)[function.__name__].lower(
        state, batch, jax.random.key(0), *vectors, phase=phase)
    return (lowered.cost_analysis() or {}).get('flops', np.nan)

  return Cost(
      products, n, 4 * n * (products + 1), latent * LATENTS if calls else 0,
      products * flops(dynamics.transposed_jacobian,
                       jax.ShapeDtypeStruct((n,), jnp.float32))
      + 2 * flops(dynamics.gradients)
      + 2 * -(-PICTURES // phase.batch) * flops(dynamics.of_pictures)
      + (calls and calls * flops(condition_number.products, np.zeros(
          (at_once, latent), np.float32))))


def _programs(components):
  """{name: an instrument of gan, compiled, of these Components}."""
  return {function.__name__: jit(
      functools.partial(function, components), static_argnames='phase')
      for function in (
          dynamics.gradients, dynamics.transposed_jacobian,
          dynamics.of_pictures, dynamics.one_pass, condition_number.products)}


class Dynamics(Observer):
  """Layers, slopes, gradients and eigenvalues of the game: see gan.dynamics.

  What it draws depends on the seed and the images shown alone. Pictures, key
  and latents of the eigenvalues are the same at every look. To see the next
  update it takes the step that the run takes next, and forgets it.

  It records, for d and g where both have it:
    spectral_norm: the largest of a layer. spectral_norms has that of each
      layer, and stable_ranks the stable ranks.
    spectral_error: the largest relative error of a layer's spectral norm, 0
      where all are exact.
    stable_rank: the smallest of a layer, as a share of the largest that its
      shape allows; layers of one output do not count.
    slope_mean_32, slope_max_32: |grad D| by the pictures of a scale, at points
      between reals and fakes.
    angle: degrees between the gradients before and after the next step, each
      of the batch that the run reads there. z and all else that is random are
      the observer's own, for the run's are drawn inside of its step, and other
      ones for each; see gan.dynamics.gradients.
    update: what a step moves of the weights, |change| / |weights|.
    eigenvalue_modulus, eigenvalue_real: the largest modulus and the largest
      real part of the game's Jacobian; residual_modulus and residual_real are
      the residuals of the two. eigenvalues has all that were found.
    condition_log_32: the mean log-condition number of G's Jacobian, of the
      pictures of a scale.
    overfitting_d_train, .._held_out, .._fake: mean logits; overfitting_ratio:
      r_v of them. D has one logit for all scales of a picture, and so have
      these.
  What is not a number at a look, such as the angle of a gradient of 0, is left
  out of its record.

  Args:
    config: Config of the run.
    gan: Gan.
    splits: what is trained on, and what is held out, if anything.
    step: the run's own step.
    batches: the run's own batches.
    key: the run's own key.
  """

  def __init__(self, config: Config, gan: Gan, splits: Splits,
               step: ShardedStep, batches: Batches, key: jax.Array):
    self.every = config.train.dynamics_every_images
    self._gan, self._splits, self._step = gan, splits, step
    self._batches, self._key = batches, key
    self._own_key = jax.random.fold_in(jax.random.key(config.seed), KEY)
    self._components = dynamics.exact(gan.components)
    self._programs = _programs(self._components)
    self._layers: dict[tuple[int, str], Layers] = {}
    self._looks = 0

  def run(self, view: View) -> Values:
    started = time.monotonic()
    phase = dynamics.phase_of(self._components, view.images)
    values: dict[str, Any] = {}
    for part in (self._of_pictures, self._of_steps, self._of_layers,
                 self._of_eigenvalues, self._of_latents):
      values |= part(view.state, view.images, phase)
    self._say_cost(view, time.monotonic() - started)
    view.say(
        'dynamics of the game: eigenvalues of modulus {eigenvalue_modulus:.3g} '
        '(residual {residual_modulus:.1g}) and real part {eigenvalue_real:.3g} '
        '(residual {residual_real:.1g}) at most'.format_map(values))
    return values

  def _say_cost(self, view, seconds):
    """Tells what a look costs: the first with compiling, the next without."""
    self._looks += 1
    if self._looks == 1:
      view.say('dynamics of the game: the first look took '
               f'{seconds:,.1f} s, compiling among it')
    elif self._looks == 2:
      view.say(f'dynamics of the game: a look takes {seconds:,.1f} s, '
               f'every {self.every:,} images')

  def _of_pictures(self, state, images, phase):
    """Logits of reals and fakes, overfitting, and slopes between them."""
    key = jax.random.fold_in(self._own_key, images + 1)
    train = self._seen(self._splits.train, state, key, phase)
    says = {'train': train.d_real.mean(), 'fake': train.d_fake.mean()}
    values: dict[str, Any] = {}
    if self._splits.held_out is not None:
      says['held_out'] = self._seen(
          self._splits.held_out, state, key, phase).d_real.mean()
      ratio = dynamics.overfitting(
          says['train'], says['held_out'], says['fake'])
      values |= _known({'overfitting_ratio': ratio})
    values |= {
        f'overfitting_d_{name}': float(mean) for name, mean in says.items()}
    sizes = self._components.players.stage(phase.level).sizes
    for size, slopes in zip(sizes, train.slopes, strict=True):
      values |= {f'slope_mean_{size}': float(slopes.mean()),
                 f'slope_max_{size}': float(slopes.max())}
    return values

  def _seen(self, source, state, key, phase):
    """OfPictures of up to PICTURES pictures, in batches as in training."""
    rows = evenly(len(source), PICTURES)
    count = -(-len(rows) // phase.batch)
    # Repeated rows fill the last batch: D may look at all of it at once.
    parts = [self._programs['of_pictures'](
        state, _batch(source, of_part), jax.random.fold_in(key, i), phase=phase)
        for i, of_part in enumerate(
            np.resize(rows, (count, phase.batch)))]
    return jax.tree.map(lambda *x: np.concatenate(x),
                        *map(jax.device_get, parts))

  def _of_steps(self, state, images, phase):
    """How far the next step moves the players, and how gradients turn."""
    of_step = self._gan.phase(images)
    batch = self._batches.at(*of_step.reads(images, 1))
    after, _ = self._step(_copy(state), batch, self._key, of_step)
    values = {f'update_{name}': dynamics.share_moved(
        *jax.device_get((before.params, now.params)))
        for name, before, now in (('d', state.d, after.d),
                                  ('g', state.g, after.g))}
    images_after = images + of_step.images
    if dynamics.phase_of(self._components, images_after) != phase:
      return values  # Other parameters are in training then, or other batches.
    of_next = self._gan.phase(images_after)
    next_batch = self._batches.at(*of_next.reads(images_after, 1))
    first = self._gradients(state, batch, images, phase)
    second = self._gradients(after, next_batch, images_after, phase)
    return values | _known({
        f'angle_{name}': dynamics.angle(getattr(first, name),
                                        getattr(second, name))
        for name in dynamics.Gradients._fields})

  def _gradients(self, state, batch, images, phase):
    return jax.device_get(self._programs['gradients'](
        state, jax.tree.map(lambda x: x[:1], batch),
        jax.random.fold_in(self._own_key, images + 1), phase=phase))

  def _of_layers(self, state, images, phase):
    """Spectral norms and stable ranks of all layers of both players."""
    players = self._components.players.stage(phase.level)
    passes = self._programs['one_pass'](
        state, self._fixed(phase.batch), self._own_key, phase=phase)
    norms, ranks, values = {}, {}, {}
    for name, arguments in passes.items():
      at = phase.level, name
      if at not in self._layers:
        self._layers[at] = Layers(getattr(players, name), *arguments)
      shares, errors = [], []
      for operator, now in self._layers[at].of(*arguments):
        found, most = operator.strength(*now), min(operator.shape)
        norms[f'{name}.{operator.layer.name}'] = found.spectral_norm
        ranks[f'{name}.{operator.layer.name}'] = found.stable_rank
        shares += [found.stable_rank / most] if most > 1 else []
        errors.append(found.norm_error)
      values[f'spectral_norm_{name}'] = max(
          (x for layer, x in norms.items() if layer.startswith(f'{name}.')),
          default=np.nan)
      values[f'spectral_error_{name}'] = max(errors, default=np.nan)
      values[f'stable_rank_{name}'] = min(shares, default=np.nan)
    return {**_known(values), 'spectral_norms': norms,
            'stable_ranks': _known(ranks)}

  def _of_eigenvalues(self, state, images, phase):
    """Those of the game's Jacobian that one Krylov space shows."""
    found = dynamics.eigenvalues(
        lambda w: self._programs['transposed_jacobian'](
            state, self._fixed(phase.batch), self._own_key, w, phase=phase),
        dynamics.count(self._components, state, phase))
    right = int(np.argmax(found.values.real))
    return {
        'eigenvalue_modulus': float(abs(found.values[0])),
        'residual_modulus': float(found.residuals[0]),
        'eigenvalue_real': float(found.values[right].real),
        'residual_real': float(found.residuals[right]),
        'eigenvalues': {
            f'{i}_{name}': float(x) for i, (value, residual) in enumerate(
                zip(found.values, found.residuals, strict=True))
            for name, x in (('real', value.real), ('imag', value.imag),
                            ('residual', residual))}}

  def _of_latents(self, state, images, phase):
    """The mean log-condition number of G's Jacobian, of each scale."""
    components = self._components
    if condition_number.why_none(components):
      return {}

    def jacobian(vectors, key):
      return self._programs['products'](
          state, self._fixed(phase.batch), key, vectors, phase=phase)

    found = np.mean([condition_number.log_conditions(
        functools.partial(jacobian, key=jax.random.fold_in(self._own_key, i)),
        components.config.networks.latent, phase.batch,
        condition_number.is_on_sphere(components)) for i in range(LATENTS)], 0)
    return _known({f'condition_log_{size}': x for size, x in zip(
        components.players.stage(phase.level).sizes, found, strict=True)})

  def _fixed(self, size):
    """The same pictures at every look."""
    source = self._splits.train
    return _batch(source, np.resize(evenly(len(source), size), size))


def dynamics_of(config: Config, gan: Gan, splits: Splits, step: ShardedStep,
                batches: Batches, key: jax.Array) -> list[Observer]:
  """[Dynamics], or [] of a run that does not look; arguments as of it."""
  return [Dynamics(config, gan, splits, step, batches, key)] if (
      config.train.dynamics_every_images) else []


@jit
def _copy(state: State) -> State:
  return jax.tree.map(jnp.copy, state)


def _batch(source: Source, rows: np.ndarray) -> Batch:
  """Pictures of a source as the one batch of a step."""
  arrays: Any = source.images(rows)[None], source.labels(rows)[None]
  return Batch(*arrays)


def _known(values: Mapping[str, float]) -> dict[str, float]:
  """Those that are numbers, which some quantities are not at some states."""
  return {name: float(x) for name, x in values.items() if np.isfinite(x)}
