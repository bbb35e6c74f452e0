"""What other libraries note for their authors stays away from people."""
import os
import subprocess
import sys

import pytest

# XLA computes this convolution of constants while it compiles.
SLOW = '''
from absl import flags
from msg_gan_jax.commands import main
flags.FLAGS(['launch.py'])
main._set_up_jax()
import jax
import numpy as np
draw = np.random.default_rng(0).random
pixels = draw((1, 48, 48, 64), np.float32)
kernel = draw((5, 5, 64, 64), np.float32)
jax.jit(lambda x: x * jax.lax.conv_general_dilated(
    pixels, kernel, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    ).lower(1.).compile()
'''


@pytest.mark.slow
def test_alarms_of_the_compiler_are_not_for_people():
  kept = {name: value for name, value in os.environ.items()
          if name not in ('TF_CPP_MIN_LOG_LEVEL', 'JAX_COMPILATION_CACHE_DIR')}
  made = subprocess.run(
      [sys.executable, '-c', SLOW], text=True, check=True,
      stderr=subprocess.PIPE,
      env={**kept, 'JAX_ENABLE_COMPILATION_CACHE': 'false'})
  assert made.stderr == ''
