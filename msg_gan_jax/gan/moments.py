"""Moments of batch norm for samples, of many batches of latents."""
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import latents, passes
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks import norms
from msg_gan_jax.gan.state import Condition, State


def settle(components: Components, state: State) -> State:
  """State whose two G's, raw and averaged, have the moments of many batches.

  Means over networks.statistics_batches batches of latents, of random classes
  where there are any. They are the same at every call.

  Source: Brock et al. 2019 (arXiv:1809.11096), appendix C, "standing
  statistics", and compare_gan.
  """
  networks, batch = components.config.networks, components.config.train.batch
  key = jax.random.fold_in(jax.random.key(0), state.images)

  def moments(player, i):
    z_key, label_key = jax.random.split(jax.random.fold_in(key, i))
    labels = jax.random.randint(
        label_key, (batch,), 0, networks.classes) if networks.classes else None
    condition = Condition(labels)
    z = latents.draw(networks, z_key, batch)
    _, collections = components.players.g.apply(
        passes.variables(player.params, player.stats),
        components.with_labels('g', z, condition), condition, True,
        mutable=['moments'])
    return collections['moments']

  def settled(player):
    def add(total, i):
      return jax.tree.map(jnp.add, total, moments(player, i)), None

    n = networks.statistics_batches
    total, _ = jax.lax.scan(add, moments(player, 0), jnp.arange(1, n))
    return player.replace(stats=norms.replace(
        player.stats, jax.tree.map(lambda x: x / n, total)))

  return state.replace(g=settled(state.g), ema=settled(state.ema))
