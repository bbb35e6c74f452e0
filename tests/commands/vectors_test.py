"""avoid_slow_sort, told of processors that are not here."""
import os
import subprocess
import sys

import pytest

from msg_gan_jax.commands import vectors

VARIABLE = 'NPY_DISABLE_CPU_FEATURES'


def told(vendor, family, *flags):
  return (f'processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\n'
          f'flags\t\t: fpu {" ".join(flags)} sse\n')


@pytest.mark.parametrize('text, slow', [
    (told('AuthenticAMD', 25, 'avx2', 'avx512f'), True),
    (told('AuthenticAMD', 25, 'avx2'), False),  # Zen 3
    (told('AuthenticAMD', 26, 'avx2', 'avx512f'), False),  # Zen 5
    (told('GenuineIntel', 25, 'avx512f'), False), (None, False)])
def test_numpy_does_without_avx512_on_zen_4(text, slow, tmp_path, monkeypatch):
  path = tmp_path / 'cpuinfo'
  if text:
    path.write_text(text)
  monkeypatch.setattr(vectors, 'CPUS', path)
  monkeypatch.delenv(VARIABLE, raising=False)
  vectors.avoid_slow_sort()
  assert (VARIABLE in os.environ) == slow
  monkeypatch.setenv(VARIABLE, 'AVX2')
  vectors.avoid_slow_sort()
  assert os.environ[VARIABLE] == 'AVX2'
  monkeypatch.delenv(VARIABLE)
  monkeypatch.setenv('NPY_ENABLE_CPU_FEATURES', 'AVX2')
  vectors.avoid_slow_sort()
  assert VARIABLE not in os.environ


def test_numpy_knows_the_names(monkeypatch, tmp_path):
  path = tmp_path / 'cpuinfo'
  path.write_text(told('AuthenticAMD', 25, 'avx512f'))
  monkeypatch.setattr(vectors, 'CPUS', path)
  monkeypatch.setenv(VARIABLE, '')
  monkeypatch.delenv(VARIABLE)
  vectors.avoid_slow_sort()
  done = subprocess.run(
      [sys.executable, '-W', 'default::ImportWarning', '-c', 'import numpy'],
      capture_output=True, text=True)
  assert done.returncode == 0 and VARIABLE not in done.stderr, done.stderr
