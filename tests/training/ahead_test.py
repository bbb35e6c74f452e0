"""Laws of compiling ahead: once, and without a word of its own."""
import logging

import jax
import pytest

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.data.batches import batch_like, open_batches
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.training.ahead import Ahead


@pytest.fixture
def compiled():
  """Names of events of jax's compiler, as they come."""
  events = []

  def heard(event, duration, **unused):
    events.append(event)

  jax.monitoring.register_event_duration_secs_listener(heard)
  yield events
  jax.monitoring.unregister_event_duration_listener(heard)


@pytest.mark.slow
@pytest.mark.parametrize('n_dis', [1, 2])
@pytest.mark.parametrize('device_gb', [0., 1.])
def test_the_first_step_compiles_nothing_again(
    small, compiled, n_dis, device_gb):
  config = small(
      networks__name='mlp', networks__scales='none', networks__stddev='none',
      data__name='ring', data__resolution=1, data__channels=2,
      train__n_dis=n_dis, data__device_gb=device_gb)
  gan, mesh, key = build(config), data_mesh(), jax.random.key(1)
  train, shape = open_source(config).train, (n_dis, config.train.batch)
  run, like = ShardedStep(gan, mesh), state_like(gan, replicated(mesh))
  Ahead(lambda: run.lower(
      like, batch_like(train, shape, mesh), key, gan.phase(0))).wait()
  assert sum('backend_compile' in event for event in compiled) >= n_dis
  state = jit(gan.init, out_shardings=replicated(mesh))(jax.random.key(0))
  batches = open_batches(train, config, mesh)
  batch = batches.at(0, shape)
  compiled.clear()
  run(state, batch, key, gan.phase(0))
  assert not any('compile' in event for event in compiled)
  batches.close()


def test_an_error_is_left_to_the_call_that_meets_it(caplog):
  with caplog.at_level(logging.DEBUG, 'msg_gan_jax'):
    Ahead(lambda: 1 / 0).wait()
  assert 'division by zero' in caplog.text


def test_programs_are_compiled_once_each():
  class Program:
    count = 0

    def compile(self):
      self.count += 1

  a, b = Program(), Program()
  Ahead(lambda: [a, b, a, a]).wait()
  assert (a.count, b.count) == (1, 1)
