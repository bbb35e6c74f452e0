"""Times the training step as a run does it, with its cost and the gemm peak."""
import math
import statistics
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.config import schema
from msg_gan_jax.data.batches import open_batches
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep, check_batch
from msg_gan_jax.training.groups import Groups

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


class Steps:
  """The step that a run does, on all devices of this process.

  Args:
    config: Config; its data are replaced by random pictures on the device.

  Attributes:
    cycle: how many steps it takes until all phases have come.
    step_images: real images that D is shown in one of them.
    devices: how many there are.
  """

  def __init__(self, config: schema.Config):
    self._gan, over = build(config), data_mesh()
    check_batch(config, over)
    train, objective = config.train, config.objective
    # Of a GAN that grows, the finest resolution.
    self._images = train.total_images if train.grow_from else 0
    phase = self._gan.phase(self._images)
    self.step_images, self.devices = phase.images, over.devices.size
    picture = (config.data.resolution,) * 2 + (config.data.channels,)
    count = max(self.step_images, min(2048, SET_BYTES // math.prod(picture)))
    self._batches = open_batches(Noise(count, picture), config, over)
    self._key = jax.random.key(config.seed)
    self._state = jax.jit(
        self._gan.init, out_shardings=replicated(over))(self._key)
    self._step = ShardedStep(self._gan, over)
    # XLA counts the work of a loop once.
    self._unrolled = (self._step if jax.default_backend() == 'cpu' else
                      ShardedStep(self._gan, over, loops=False))
    self._groups = Groups(self._gan, 2**62, lambda moment: False)
    every = objective.penalty_every_d_steps
    self.cycle = math.lcm(
        every // math.gcd(every, train.n_dis),
        objective.g_penalty_every_g_steps
        if objective.g_penalty != 'none' else 1)

  def run(self, steps: int) -> float:
    """Seconds that `steps` steps take, as the loop does them."""
    start, done = time.perf_counter(), 0
    while done < steps:
      phase, count = self._groups.at(self._images)
      count = count if done + count <= steps else 1
      batch = self._batches.at(*phase.reads(self._images, count))
      self._state, logs = self._step(self._state, batch, self._key, phase)
      self._images += count * self.step_images
      done += count
    jax.block_until_ready((self._state, logs))
    return time.perf_counter() - start

  def lower(self, steps: int,
            loops: bool = True) -> list[list[jax.stages.Lowered]]:
    """The programs of each of the next steps; `loops` if they may have some."""
    step = self._step if loops else self._unrolled
    first = self._gan.phase(self._images)
    arguments = (self._state, self._batches.at(*first.reads(self._images, 1)),
                 self._key)
    phases = [self._gan.phase(self._images + i * self.step_images)
              for i in range(steps)]
    lowered = {
        phase: step.lower(*arguments, phase) for phase in set(phases)}
    return [lowered[phase] for phase in phases]


def measure(
    config: schema.Config, seconds: float, repeats: int) -> dict[str, Any]:
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
  steps = Steps(config)
  flops, memory = _cost(steps.lower(steps.cycle, loops=False))
  steps.run(max(3, steps.cycle))  # Compiles every phase.
  once = steps.run(steps.cycle)
  # The clock is read about ten times a repeat: the device is kept busy.
  chunk = steps.cycle * max(1, round(seconds / 10 / once))
  warm_up = time.perf_counter() - began
  gemm, rates, cores = [], [], []
  for _ in range(repeats):
    gemm.append(gemm_peak())
    done = taken = 0
    used = time.process_time()
    while taken < seconds:
      taken += steps.run(chunk)
      done += chunk
    rates.append(done * steps.step_images / taken)
    cores.append((time.process_time() - used) / taken)
  device = jax.devices()[0]
  return {
      'platform': device.platform, 'device': device.device_kind,
      'devices': steps.devices, 'step_images': steps.step_images,
      'warm_up_seconds': warm_up, 'images_per_second': rates,
      'busy_cores': cores,
      'flops_a_step': flops * steps.devices, 'memory_bytes': memory,
      'most_memory_bytes_in_use':
          (device.memory_stats() or {}).get('peak_bytes_in_use'),
      'gemm_gflops': [steps.devices * g for g in gemm]}


def _cost(steps):
  """(FLOPs of a step, bytes it needs), of one device.

  The FLOPs are the mean over a cycle of steps, the bytes the largest.
  """
  compiled = {}
  for program in {id(x): x for step in steps for x in step}.values():
    compiled[id(program)] = program.compile()
  memory = 0
  for program in compiled.values():
    needs = program.memory_analysis()
    if needs is not None:
      memory = max(
          memory, needs.argument_size_in_bytes + needs.temp_size_in_bytes
          + needs.output_size_in_bytes - needs.alias_size_in_bytes)
  flops = {key: (program.cost_analysis() or {}).get('flops', 0)
           for key, program in compiled.items()}
  return statistics.mean(
      sum(flops[id(x)] for x in step) for step in steps), memory


def gemm_peak(dtype: str = 'float32', side: int = GEMM) -> float:
  """GFLOP/s of products of square matrices on one device, the best of five.

  At jax's default precision: that of a training step.
  """
  b = (jax.random.normal(jax.random.key(0), (side, side)) / side**.5).astype(
      jnp.dtype(dtype))
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
  return 2 * side**3 / min(run(times) for _ in range(5)) / 1e9
