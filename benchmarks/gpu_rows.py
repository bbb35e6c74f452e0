"""What gpu.py measures: products, training steps, and features of Inception."""
import pathlib
import statistics
import tempfile
import time
from typing import NamedTuple

BATCHES = {32: 128, 64: 64, 128: 32, 256: 16, 512: 8, 1024: 4}
TINY_BATCHES = {8: 4, 16: 4, 32: 4}
FLOAT32_UP_TO = 128  # Pixels.
# {(network, type of ours beside it): (script in peers/, name of the checkout)}.
PEERS = {
    ('bmsg_gan', 'float32'): ('bmsg_gan.py', 'BMSG-GAN'),
    ('stylegan2', 'bfloat16'): ('stylegan2_ada.py', 'stylegan2-ada-pytorch')}
PEER_FROM = 32  # Pixels; BMSG-GAN has no smaller networks.
TINY = 8  # Feature maps, and size of z.


class Row(NamedTuple):
  """A figure to measure.

  Attributes:
    network: a preset's name, 'inception', or 'gemm'.
    pixels, batch: of the pictures.
    dtype: of the activations; of a peer's row, of ours beside it.
    peer: whether it is the peer's program that is measured.
  """
  network: str
  pixels: int = 0
  batch: int = 0
  dtype: str = 'bfloat16'
  peer: bool = False

  @property
  def name(self) -> str:
    if not self.pixels:
      return self.network
    ending = '-peer' if self.peer else (
        '-float32' if self.dtype == 'float32' else '')
    return f'{self.network}-{self.pixels}{ending}'


def plan(tiny: bool) -> list[Row]:
  """All rows: ours in bfloat16, then what they are compared with.

  Each of both parts begins with the smallest pictures.
  """
  sizes = TINY_BATCHES if tiny else BATCHES
  ours = [Row('inception', 299, 2 if tiny else 64, 'features')]
  compared = []
  for pixels, batch in sizes.items():
    ours += [Row(network, pixels, batch)
             for network in ('msg_progan', 'stylegan2')]
    if pixels >= PEER_FROM:
      compared.append(Row('stylegan2', pixels, batch, peer=True))
    if pixels <= FLOAT32_UP_TO:
      compared += [Row(network, pixels, batch, 'float32')
                   for network in ('msg_progan', 'stylegan2')]
      if pixels >= PEER_FROM:
        compared += [Row('bmsg_gan', pixels, batch, 'float32', peer)
                     for peer in (False, True)]
  return [Row('gemm'), *(row for part in (ours, compared) for row in sorted(
      part, key=lambda row: row.pixels))]


def peer_of(row: Row) -> str:
  """The name of the peer's row to compare one of ours with; '' for none."""
  known = (row.network, row.dtype) in PEERS and not row.peer
  return row._replace(peer=True).name if known else ''


def config_of(row: Row, tiny: bool):
  """Row -> Config: a preset, as wide as published."""
  from msg_gan_jax.config import schema
  config = schema.template(row.network)
  config.data.resolution, config.train.batch = row.pixels, row.batch
  config.networks.dtype = row.dtype
  if tiny:
    config.networks.latent = config.networks.fmap_max = TINY
    if row.network == 'stylegan2':
      config.networks.w, config.networks.mapping_layers = TINY, 2
  return schema.parse(config)


def peer_command(row: Row, tiny: bool, seconds: float, python: str,
                 folder: str) -> list[str]:
  """What prints the peer's images a second alone in its last line."""
  script, checkout = PEERS[row.network, row.dtype]
  latent = TINY if tiny else 512
  sizes = {'bmsg_gan': {'depth': row.pixels.bit_length() - 2}, 'stylegan2': {
      'cfg': 'stylegan2', 'resolution': row.pixels, 'maps': latent}}
  flags = sizes[row.network] | {
      'path': pathlib.Path(folder, checkout), 'batch': row.batch,
      'seconds': seconds, 'latent': latent}
  half = ['--fp16'] * (row.network == 'stylegan2' and not tiny)
  here = pathlib.Path(__file__).resolve().parent
  return [python, str(here / 'peers' / script), *half,
          *(f'--{name}={value}' for name, value in flags.items())]


def measure(row: Row, tiny: bool, seconds: float) -> dict:
  """A row of ours, in this process, on all of its devices; for JSON.

  Raises:
    ValueError: the device is a CPU, and the row is not tiny.
  """
  from msg_gan_jax.commands.memory import keep_memory
  keep_memory()
  import jax
  device = jax.devices()[0]
  if device.platform == 'cpu' and not tiny:
    raise ValueError(
        'found a CPU; wanted a GPU or a TPU. --tiny tries all rows on a CPU.')
  if row.network == 'gemm':
    import timing  # beside this file
    found = {'gflops': {dtype: timing.gemm_peak(dtype, 256 if tiny else 8192)
                        for dtype in ('bfloat16', 'float32')}}
  elif row.network == 'inception':
    found = features(row, seconds)
  else:
    found = step(config_of(row, tiny), seconds)
  told = device.memory_stats() or {}
  return found | {
      'platform': device.platform, 'device': device.device_kind,
      'devices': len(jax.devices()), 'device_bytes': told.get('bytes_limit'),
      'peak_bytes': told.get('peak_bytes_in_use')}


def step(config, seconds: float) -> dict:
  """Images a second of the step that a run does, with what it costs.

  The FLOPs are those of one device, of convolutions and products alone: what
  GPUs give to libraries, XLA's own count leaves out.
  """
  import kinds  # beside this file
  import timing

  from msg_gan_jax.commands import dry_run
  steps = timing.Steps(config)
  began = time.perf_counter()
  calls = steps.lower(steps.cycle)
  hits = count_cache_hits()  # What has come before is no step.
  programs = {id(x): x for call in calls for x in call}
  compiled = {key: program.compile() for key, program in programs.items()}
  compile_seconds, from_cache = time.perf_counter() - began, len(hits)
  flops = {key: products(kinds.read(program.as_text()))
           for key, program in compiled.items()}
  memory = [program.memory_analysis() for program in compiled.values()]
  order = [tuple(map(id, call)) for call in calls]
  # Every phase once: what follows compiles nothing.
  steps.run(max(3, 1 + max(map(order.index, order))))
  done, taken = steps.cycle, steps.run(steps.cycle)
  # The clock is read about ten times: the device is kept busy.
  chunk = steps.cycle * max(1, round(seconds / 10 / taken))
  while taken < seconds:
    taken += steps.run(chunk)
    done += chunk
  return {
      'images_per_second': done * steps.step_images / taken, 'steps': done,
      'step_images': steps.step_images,
      'flops_a_step': statistics.mean(
          sum(flops[id(x)] for x in call) for call in calls),
      'planned_bytes': dry_run.peak_bytes(x for x in memory if x),
      'compile_seconds': compile_seconds, 'programs': len(compiled),
      'from_cache': from_cache}


def count_cache_hits() -> list[str]:
  """A list that grows by one with each program found in jax's cache."""
  import jax
  hits: list[str] = []

  def heard(event, **_):
    if event == '/jax/compilation_cache/cache_hits':
      hits.append(event)

  jax.monitoring.register_event_listener(heard)
  return hits


def products(program) -> int:
  """FLOPs of the convolutions and products of a kinds.Program, each once.

  Those of a loop are counted for one round; no row has any in one.
  """
  return sum(program.flops(name)
             for name, one in program.instructions.items()
             if program.main(one) is one)  # A fusion has one inside.


def features(row: Row, seconds: float) -> dict:
  """Images a second of FID's Inception, from uint8 pictures on the host."""
  import inception  # beside this file
  with tempfile.TemporaryDirectory() as folder:
    _, extract = inception.ours(folder)  # Random weights: none lie there.
  pictures = inception.images(row.pixels, row.batch)
  began = time.perf_counter()
  extract(pictures)
  first = time.perf_counter() - began
  done, began = 0, time.perf_counter()
  while (taken := time.perf_counter() - began) < seconds or not done:
    extract(pictures)
    done += 1
  return {'images_per_second': done * row.batch / taken, 'steps': done,
          'step_images': row.batch, 'compile_seconds': first}
