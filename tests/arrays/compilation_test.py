"""Laws of jit: options reach programs, and users' transformations work."""
import logging
import os
import subprocess
import sys

from helpers import ROOT, batch
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays import compilation
from msg_gan_jax.gan.build import build

YNN = 'xla_cpu_experimental_ynn_fusion_type'


@pytest.fixture
def table(monkeypatch):
  """(*rows) -> the options that are in force with these rows of OPTIONS."""
  def options(*rows):
    monkeypatch.setattr(compilation, 'OPTIONS', rows)
    return compilation.options.__wrapped__()
  return options


def row(backend='cpu', machine=None, jaxlib=(0, 1), **options):
  machines = machine or compilation.platform.machine().lower()
  return compilation.Row(backend, (machines,), jaxlib, options)


def test_a_row_holds_on_its_backend_machine_and_jaxlib_alone(table):
  known = {'xla_cpu_enable_fast_min_max': True}
  assert table(row(**known)) == known
  assert table(row('tpu', **known)) == {}
  assert table(row(machine='abacus', **known)) == {}
  assert table(row(jaxlib=(99, 0), **known)) == {}


def test_what_the_user_sets_is_left_to_him(table, monkeypatch):
  ours = row(**{YNN: ''})
  monkeypatch.setenv('XLA_FLAGS', f'--xla_some=1 --{YNN}=')
  assert table(ours) == {YNN: ''}
  monkeypatch.setenv('XLA_FLAGS', f'--{YNN}=dot --xla_some=1')
  assert table(ours) == {}


def test_an_option_that_is_not_known_is_left_out_and_noted(table, caplog):
  with caplog.at_level(logging.DEBUG, 'msg_gan_jax'):
    assert table(row(xla_warp_drive=9, xla_cpu_enable_fast_min_max=True)) == {
        'xla_cpu_enable_fast_min_max': True}
  assert 'option xla_warp_drive=9 is left out' in caplog.text
  assert caplog.records[0].levelno == logging.DEBUG


@pytest.mark.skipif(
    compilation.platform.machine().lower() not in ('x86_64', 'amd64'),
    reason='measured on x86-64 alone')
@pytest.mark.slow
def test_convolutions_do_without_ynnpack():
  """In a process that begins as a user's does."""
  program = '''
import jax, jax.numpy as jnp
from msg_gan_jax.arrays.compilation import jit
def f(x, k):
  return jax.lax.conv_general_dilated(
      x, k, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
arrays = jnp.ones((32, 32, 32, 64)), jnp.ones((3, 3, 64, 64))
print(*('ynn_fusion' in x.lower(*arrays).compile().as_text()
        for x in (jax.jit(f), jit(f))))
'''
  environment = {k: v for k, v in os.environ.items() if k != 'XLA_FLAGS'}
  done = subprocess.run(
      [sys.executable, '-c', program], cwd=ROOT, text=True, check=True,
      stdout=subprocess.PIPE, timeout=120, env=environment)
  assert done.stdout.split() == ['True', 'False']


@pytest.fixture(scope='module')
def toy(small):
  """(Gan, State, Batch) of points, which compile fast."""
  config = small(
      networks__name='mlp', networks__scales='none', networks__stddev='none',
      data__name='ring', data__resolution=1, data__channels=2,
      objective__penalty='none', objective__drift=0.)
  gan = build(config)
  assert compilation.options()  # or these laws would hold of themselves
  return gan, gan.init(jax.random.key(0)), batch(config)


def near(a, b):
  for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
    np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_step_may_be_transformed(toy):
  gan, state, data = toy
  key = jax.random.key(1)
  once = gan.step(state, data, key)
  twice = gan.step(once[0], data, key)
  near(jax.jit(gan.step)(state, data, key), once)
  both = jax.vmap(gan.step, (None, 0, None))(
      state, jax.tree.map(lambda x: jnp.stack([x, x]), data), key)
  near(jax.tree.map(lambda x: x[1], both), once)
  near(jax.lax.scan(lambda state, key: gan.step(state, data, key), state,
                    jnp.stack([key, key]))[0], twice[0])


def test_sample_may_be_transformed(toy):
  gan, state, _ = toy
  z = gan.draw(jax.random.key(2), 8)
  (wanted,) = gan.sample(state, z)
  near(jax.jit(lambda z: gan.sample(state, z))(z), [wanted])
  near(jax.jit(lambda: gan.sample(state, z))(), [wanted])
  near(jax.vmap(lambda z: gan.sample(state, z[None])[0][0])(z), wanted)
  near(jax.lax.scan(lambda n, z: (n, gan.sample(state, z[None])[0][0]), 0, z
                    )[1], wanted)
  by_z = jax.grad(lambda z: gan.sample(state, z)[0].sum())(z)
  assert by_z.shape == z.shape and float(jnp.abs(by_z).max()) > 0
