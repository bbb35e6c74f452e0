"""What memory a step uses again, in processes that begin with the tunables."""
import os
import platform
import subprocess
import sys

import pytest

from msg_gan_jax.commands import memory

STEPS = '''
import resource
from msg_gan_jax.commands import memory
memory.start_again_with_tunables()
memory.keep_memory()
import jax
import jax.numpy as jnp

@jax.jit
def step(x):
  return (jnp.sin(x)[:, None] * jnp.cos(x)[None]) @ x

def faults():
  before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
  step(jnp.ones(5000)).block_until_ready()  # It needs 100 MB.
  return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(min(faults() for _ in range(6)))
'''


@pytest.fixture
def asks(tmp_path, monkeypatch):
  """A system that gives huge pages to who asks for them; no accelerator."""
  monkeypatch.setattr(memory, 'HUGE_PAGES', tmp_path / 'enabled')
  memory.HUGE_PAGES.write_text('always [madvise] never\n')
  monkeypatch.setattr(platform, 'libc_ver', lambda: ('glibc', '2.36'))
  monkeypatch.setenv('JAX_PLATFORMS', 'cpu')
  monkeypatch.delenv(memory.VARIABLE, raising=False)


def test_huge_pages_are_asked_for_where_they_are_given(asks, monkeypatch):
  assert memory.tunables() == {memory.VARIABLE: 'glibc.malloc.hugetlb=1'}
  monkeypatch.setenv(memory.VARIABLE, 'glibc.rtld.nns=3')
  assert memory.tunables() == {
      memory.VARIABLE: 'glibc.rtld.nns=3:glibc.malloc.hugetlb=1'}


@pytest.mark.parametrize('change', [
    lambda m: m.setenv(memory.VARIABLE, 'glibc.malloc.hugetlb=0'),
    lambda m: m.setenv('JAX_PLATFORMS', 'tpu,cpu'),
    lambda m: m.setattr(platform, 'libc_ver', lambda: ('glibc', '2.31')),
    lambda m: m.setattr(platform, 'libc_ver', lambda: ('', '')),
    lambda m: memory.HUGE_PAGES.write_text('[always] madvise never\n'),
    lambda m: memory.HUGE_PAGES.unlink()])
def test_nothing_is_asked_for_elsewhere(asks, change, monkeypatch):
  change(monkeypatch)
  assert memory.tunables() == {}


@pytest.mark.slow
def test_a_step_uses_huge_pages_or_what_there_is():
  environment = {**os.environ, 'JAX_PLATFORMS': 'cpu'}
  environment.pop(memory.VARIABLE, None)
  done = subprocess.run(
      [sys.executable, '-c', STEPS], capture_output=True, text=True,
      check=True, env=environment)
  given = platform.libc_ver()[0] == 'glibc' and memory.HUGE_PAGES.exists() and (
      '[never]' not in memory.HUGE_PAGES.read_text())
  assert int(done.stdout) < (2500 if given else 50_000)
