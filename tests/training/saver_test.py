"""Laws of saving: the best and the latest do not get in each other's way."""
import types

import jax.numpy as jnp

from msg_gan_jax.runs import orbax_storage
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training.saver import Saver


def test_one_checkpoint_is_written_at_a_time_and_the_best_first(
    tmp_path, monkeypatch):
  begun, flying = [], set()
  save, wait = orbax_storage.save, Checkpoints.wait

  def saves(manager, images, *args):
    assert not flying
    flying.add(manager.directory.name)
    begun.append((manager.directory.name, images))
    save(manager, images, *args)

  def waits(self):
    wait(self)
    flying.discard(self.path.name)

  monkeypatch.setattr(orbax_storage, 'save', saves)
  monkeypatch.setattr(Checkpoints, 'wait', waits)
  judge = types.SimpleNamespace(judge={'metric': 'swd'}, lower=True)
  with Checkpoints(tmp_path / 'checkpoints') as latest:
    saver = Saver(tmp_path, latest, begun.append)
    saver.keep_best(judge, 0, {})
    for images, score in (8, 3.), (16, 2.), (24, 2.5), (32, 1.):
      state = {'state': {'x': jnp.full(3, score)}}
      saver.offer(images, state, score)
      saver.save(images, state, {})
    saver.wait()
    assert not flying
    saver.close()
  assert begun == [
      ('best', 8), ('checkpoints', 8), ('best', 16), ('checkpoints', 16),
      ('checkpoints', 24), ('best', 32), ('checkpoints', 32)]
