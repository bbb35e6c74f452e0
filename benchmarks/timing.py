"""Times the training step as a run does it, with its cost and the gemm peak."""
import math
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.commands.processes import keep_memory
from msg_gan_jax.data.batches import open_batches
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep, check_batch

GEMM = 2048  # Big enough for the peak, and 40 ms on two cores.
SET_BYTES = 2**28  # The random pictures: many batches, and small everywhere.


class Noise:
  """Random pictures in memory; implements source.Source."""
  name, classes, notes = 'noise', (), {}

  def __init__(self, count, shape):
    self.shape = shape
    self._pixels = np.random.default_rng(0).integers(
        0, 256, (count, *shape), np.uint8)

  def __len__(self):
    return len(self._pixels)

  def images(self, indices):
    return self._pixels[indices]

  def labels(self, indices):
    return np.zeros(len(indices), np.int32)

  def factors(self, indices):
    return {}

  def digest(self):
    return 'noise'


def measure(config, seconds, repeats):
  """Times the step that a run does, on all devices of this process.

  Args:
    config: Config; its data are replaced by random pictures on the device.
    seconds: at least so long is a repeat; it has whole cycles of phases.
    repeats: how many; the gemm peak is measured before each.

  Returns:
    dict for JSON: the device, the step's cost, and lists with a number for
    each repeat.
  """
  began = time.perf_counter()
  keep_memory()
  gan, over = build(config), data_mesh()
  check_batch(config, over)
  # Of a GAN that grows, the finest resolution.
  images = config.train.total_images if config.train.grow_from else 0
  step_images = gan.phase(images).images
  shape = config.train.n_dis, gan.phase(images).batch
  picture = (config.data.resolution,) * 2 + (config.data.channels,)
  count = max(step_images, min(2048, SET_BYTES // math.prod(picture)))
  batches = open_batches(Noise(count, picture), config, over)
  key = jax.random.key(config.seed)
  state = jax.jit(gan.init, out_shardings=replicated(over))(key)
  step = ShardedStep(gan, over)
  objective = config.objective
  every = objective.penalty_every_d_steps
  cycle = math.lcm(
      every // math.gcd(every, config.train.n_dis),
      objective.g_penalty_every_g_steps if objective.g_penalty != 'none' else 1)
  flops, memory = _cost(
      step, (state, batches.at(0, shape), key),
      [gan.phase(images + i * step_images) for i in range(cycle)])

  def run(steps):
    """Seconds that `steps` steps take, as the loop does them."""
    nonlocal state, images
    start = time.perf_counter()
    for _ in range(steps):
      state, logs = step(
          state, batches.at(images, shape), key, gan.phase(images))
      images += step_images
    jax.block_until_ready((state, logs))
    return time.perf_counter() - start

  run(max(3, cycle))  # Compiles every phase.
  once = run(cycle)
  # The clock is read about ten times a repeat: the device is kept busy.
  chunk = cycle * max(1, round(seconds / 10 / once))
  warm_up = time.perf_counter() - began
  gemm, rates = [], []
  for _ in range(repeats):
    gemm.append(_gemm_peak())
    done = taken = 0
    while taken < seconds:
      taken += run(chunk)
      done += chunk
    rates.append(done * step_images / taken)
  device = jax.devices()[0]
  devices = over.devices.size
  return {
      'platform': device.platform, 'device': device.device_kind,
      'devices': devices, 'step_images': step_images,
      'warm_up_seconds': warm_up, 'images_per_second': rates,
      'flops_a_step': flops * devices, 'memory_bytes': memory,
      'most_memory_bytes_in_use':
          (device.memory_stats() or {}).get('peak_bytes_in_use'),
      'gemm_gflops': [devices * g for g in gemm]}


def _cost(step, arguments, phases):
  """(FLOPs of a step, bytes it needs), of one device.

  The FLOPs are the mean over a cycle of phases, the bytes the largest.
  """
  flops, memory = {}, 0
  for phase in set(phases):
    flops[phase] = 0
    for program in step.lower(*arguments, phase):
      compiled = program.compile()
      flops[phase] += (compiled.cost_analysis() or {}).get('flops', 0)
      needs = compiled.memory_analysis()
      if needs is not None:
        memory = max(
            memory, needs.argument_size_in_bytes + needs.temp_size_in_bytes
            + needs.output_size_in_bytes - needs.alias_size_in_bytes)
  return statistics.mean(flops[phase] for phase in phases), memory


def _gemm_peak():
  """GFLOP/s of float32 products of 2048 x 2048 matrices, the best of five."""
  b = jax.random.normal(jax.random.key(0), (GEMM, GEMM)) / GEMM**.5
  product = jax.jit(jnp.matmul)

  def run(times):
    start, a = time.perf_counter(), b
    for _ in range(times):  # In a chain, so that none runs beside another.
      a = product(a, b)
    a.block_until_ready()
    return (time.perf_counter() - start) / times

  run(1)
  # On an accelerator one product takes no longer than its start.
  times = min(1000, math.ceil(.05 / run(1)))
  return 2 * GEMM**3 / min(run(times) for _ in range(5)) / 1e9
