"""keep_memory, in processes that load it before numpy and jax."""
import os
import platform
import subprocess
import sys

import pytest

STEPS = '''
import resource
from msg_gan_jax.commands.memory import keep_memory
keep_memory()
import jax
import jax.numpy as jnp

@jax.jit
def step(x):
  return (jnp.sin(x)[:, None] * jnp.cos(x)[None]) @ x

def faults():
  before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
  step(jnp.ones(5000)).block_until_ready()  # It needs 100 MB.
  return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

# Its heap grows until it is as large as it has to be.
print(min(faults() for _ in range(12)))
'''


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='glibc alone')
@pytest.mark.parametrize('platforms, kept', [('cpu', True), ('tpu,cpu', False)])
def test_a_step_uses_the_pages_of_the_step_before(platforms, kept):
  # Where an accelerator comes first nothing is set; it is chosen after that.
  code = STEPS.replace('import jax\n', (
      'import os\nos.environ["JAX_PLATFORMS"] = "cpu"\nimport jax\n'), 1)
  done = subprocess.run(
      [sys.executable, '-c', code], capture_output=True, text=True, check=True,
      env={**os.environ, 'JAX_PLATFORMS': platforms})
  assert (int(done.stdout) < 1000) == kept
