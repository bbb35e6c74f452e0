"""The rows of measure.py: what is measured, and by which of our scripts."""
from collections.abc import Callable, Sequence
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import tempfile
import time
from typing import Any, NamedTuple

# These lie beside this file.
from measured import median
import quickstart as quickstarts
import throughput

HERE = pathlib.Path(__file__).resolve().parent
PICTURES, PIXELS = 500, 32  # In each folder that FID compares.


class Tools(NamedTuple):
  """What rows are measured with.

  Attributes:
    python: the interpreter of ours.
    torch: that of the peers; ''.
    peers: the folder of their checkouts; ''.
    out: the file of results.
    before: another checkout of ours, whose start is beside ours; ''.
  """
  python: str
  torch: str
  peers: str
  out: str
  before: str = ''

  def peer(self, name: str) -> str:
    """The path of a peer's checkout."""
    return os.path.join(self.peers, name)


class Row(NamedTuple):
  """Something that is measured.

  Attributes:
    measure: Tools -> dict for JSON; a RuntimeError says why there is none.
    columns: that dict -> {column: text}, for a table.
    minutes: about how long it takes, here on two cores of an AMD EPYC of
      family 26, with a tree before.
    peers: names of checkouts that it needs.
    twice: whether --also measures it too.
    flags: those of throughput.py, of a row of the step.
  """
  measure: Callable[[Tools], dict[str, Any]]
  columns: Callable[[dict[str, Any]], dict[str, str]]
  minutes: float
  peers: tuple[str, ...] = ()
  twice: bool = False
  flags: tuple[str, ...] = ()


def lines_of(command: Sequence[str], cache: str = '') -> list[str]:
  """What a command prints; with an empty folder for its caches, if given.

  Raises:
    RuntimeError: it did not end with 0; with the last line that it wrote.
  """
  environment = dict(os.environ)
  if cache:
    environment.pop('JAX_COMPILATION_CACHE_DIR', None)
    environment['XDG_CACHE_HOME'] = cache
  done = subprocess.run(
      command, capture_output=True, text=True, env=environment)
  if done.returncode:
    lines = (done.stderr.strip() or done.stdout.strip()).removesuffix(
        '\n(--debug shows where)').splitlines()
    raise RuntimeError(
        f'{os.path.basename(command[1])} ended with {done.returncode}: '
        f'{lines[-1] if lines else "and said nothing"}')
  return done.stdout.splitlines()


def matches(pattern: str, lines: Sequence[str]) -> list[re.Match[str]]:
  """The matches of a pattern, at most one a line.

  Raises:
    RuntimeError: there is none.
  """
  found = [x for x in (re.search(pattern, line) for line in lines) if x]
  if not found:
    raise RuntimeError(f'nothing like {pattern!r} in what it printed: '
                       f'{" / ".join(lines[-3:])}')
  return found


def step(ours: Sequence[str], script: str, peer: str, theirs: str,
         minutes: float, seconds: float = 6., repeats: int = 3,
         twice: bool = False) -> Row:
  """A row of the training step beside a peer's, in turns.

  Args:
    ours: flags of throughput.py.
    script: in peers/.
    peer: the name of its checkout.
    theirs: flags of the script, with {batch} and the like.
    minutes, twice: see Row.
    seconds, repeats: of throughput.py.
  """
  def measure(tools):
    command = shlex.join([
        tools.torch, str(HERE / 'peers' / script),
        f'--path={tools.peer(peer)}'])
    with tempfile.TemporaryDirectory() as folder:
      file = pathlib.Path(folder, 'step.jsonl')
      lines_of([
          tools.python, str(HERE / 'throughput.py'), *ours,
          f'--repeats={repeats}', f'--seconds={seconds}', f'--json={file}',
          f'--profile={folder}',
          f'--beside={command} {theirs} --batch={{batch}} '
          '--seconds={seconds}'])
      found, = json.loads(file.read_text('utf-8'))['rows'].values()
    return found

  def columns(found):
    beside, alone = throughput.beside_columns(found), throughput.columns(found)
    return {
        'ours, img/s': median(found['images_per_second']),
        'theirs': median(found['theirs']), 'ratio': beside['ratio'],
        'of each pair': beside['of each pair'],
        **{x: alone[x] for x in ('GFLOP/s', 'gemm', 'share', 'cores')}}

  return Row(measure, columns, minutes, (peer,), twice, tuple(ours))


def start(experiment: str, *settings: str, minutes: float) -> Row:
  """A row of the first step after the command, cold and three times warm."""
  def measure(tools):
    before = [f'--before={tools.before}'] if tools.before else []
    found: dict[str, Any] = {}
    for match in matches(
        r'^(cold|warm) .*?([\d.]+) s to .*?(?: \((before)\))?$', lines_of([
            tools.python, str(HERE / 'start.py'), f'--config={experiment}',
            *before, *settings])):
      name, seconds = '_'.join(filter(None, match.group(1, 3))), float(match[2])
      if match[1] == 'cold':
        found[name] = seconds
      else:
        found.setdefault(name, []).append(seconds)
    return found

  def columns(found):
    return {f'{name.replace("_", " ")}, s': median(
        x if isinstance(x, list) else [x]) for name, x in found.items()}

  return Row(measure, columns, minutes)


def quickstart(repeats: int, minutes: float) -> Row:
  """A row of `launch.py` from the command to its end, caches empty."""
  def measure(tools):
    runs = [quickstarts.train(python=tools.python) for _ in range(repeats)]
    return {name: [run[name] for run in runs] for name in runs[0]}

  def columns(found):
    return {'command to last line, s': median(found['seconds'], 0),
            'first grid in training after, s': median(
                found['grid_seconds'], 0),
            'variety': median(found['variety'], 2)}

  return Row(measure, columns, minutes, twice=True)


def install(minutes: float) -> Row:
  """A row of README's first command in a new environment, no cache of pip's."""
  def measure(tools):
    with tempfile.TemporaryDirectory() as folder:
      began = time.perf_counter()
      lines_of([tools.python, '-m', 'venv', folder])
      made = time.perf_counter() - began
      lines_of([f'{folder}/bin/python', '-m', 'pip', 'install', '-q',
                '--no-cache-dir', str(HERE.parent)])
      return {'seconds': time.perf_counter() - began, 'environment': made}

  def columns(found):
    return {'install, s': median([found['seconds']], 0),
            'of it the environment': median([found['environment']], 0)}

  return Row(measure, columns, minutes)


def batch(minutes: float) -> Row:
  """A row of input.py: a batch on the device, as a share of a step."""
  def measure(tools):
    lines = lines_of([tools.python, str(HERE / 'input.py')])
    return {x[1]: {'batch_ms': float(x[2]), 'step_ms': float(x[3])}
            for x in matches(
                r'^\| *(\S+) \| *([\d.]+) \| *([\d.]+) \| *[\d.]+% \|$', lines)}

  def columns(found):
    return {f'{name}, of a step': f'{x["batch_ms"] / x["step_ms"]:.2%}'
            for name, x in found.items()}

  return Row(measure, columns, minutes)


def fid(script: str, peer: str, protocol: str, minutes: float,
        pairs: int = 3) -> Row:
  """A row of the FID of two folders, ours and theirs in turns."""
  def measure(tools):
    scripts = HERE / 'peers'
    with tempfile.TemporaryDirectory() as folder:
      weights = make_weights(folder, tools.torch, tools.peer('torch-fidelity'))
      draw(folder, 'real', 'fake')
      asked = [f'--real={folder}/real', f'--fake={folder}/fake',
               f'--weights={weights}']
      found = {'ours': [], 'theirs': [], 'our_fid': [], 'their_fid': []}
      for _ in range(pairs):
        for seconds, score, command in (
            ('ours', 'our_fid', [tools.python, scripts / 'our_fid.py',
                                 f'--protocol={protocol}']),
            ('theirs', 'their_fid', [tools.torch, scripts / script,
                                     f'--path={tools.peer(peer)}'])):
          lines = lines_of([*map(str, command), *asked])
          found[seconds].append(float(lines[-1]))
          found[score].append(scores_of(lines)['FID'])
    return found

  def columns(found):
    each = [b / a for a, b in zip(found['ours'], found['theirs'], strict=True)]
    ratio = (statistics.median(found['theirs'])
             / statistics.median(found['ours']))
    return {
        'ours, s': median(found['ours']), 'theirs, s': median(found['theirs']),
        'ratio': f'{ratio:.2f}',
        'of each pair': ' '.join(f'{x:.2f}' for x in each),
        'FID, ours': f'{found["our_fid"][-1]:.4f}',
        'FID, theirs': f'{found["their_fid"][-1]:.4f}'}

  return Row(measure, columns, minutes,
             tuple({peer: 0, 'torch-fidelity': 0}))


def make_weights(folder: str, torch: str, path: str = '') -> str:
  """The file of random Inception weights that all sides read.

  Args:
    folder: where it is written.
    torch: an interpreter with PyTorch and, without `path`, torch-fidelity.
    path: a checkout of torch-fidelity.
  """
  weights = f'{folder}/weights.pth'
  lines_of([torch, str(HERE / 'peers' / 'make_weights.py'), weights,
            f'--path={path}'])
  return weights


def scores_of(lines: Sequence[str]) -> dict[str, float]:
  """{'FID': .., 'KID': .., 'IS': ..}, of those that a script printed."""
  return {x[1]: float(x[2])
          for x in matches(r'^(FID|KID|IS) (\S+)$', lines)}


def draw(folder: str, *names: str) -> None:
  """Folders of drawn heads, as PNG files; no two pictures are equal."""
  import numpy as np
  from PIL import Image

  from msg_gan_jax.data.drawn import avatars
  pictures = avatars.Avatars(PICTURES * len(names), PIXELS).images(
      np.arange(PICTURES * len(names)))
  for i, name in enumerate(names):
    os.makedirs(f'{folder}/{name}')
    for j, pixels in enumerate(pictures[i * PICTURES:(i + 1) * PICTURES]):
      Image.fromarray(pixels).save(f'{folder}/{name}/{j:04}.png')


def folder_of_pictures(pixels: int, count: int, minutes: float) -> Row:
  """A row of the first reading of a folder, beside bare Pillow."""
  def measure(tools):
    lines = lines_of([
        tools.python, str(HERE / 'folder.py'), f'--made={count}',
        f'--resolution={pixels}', '--repeats=3'])
    ratio, = matches(r'ratio of medians ([\d.]+); of each pair (.*)', lines)
    return {
        'files_a_second': {x[1]: [float(x[i]) for i in (2, 3, 4)] for x in (
            matches(r'^(.+?) +(\d+) files/s, (\d+) to (\d+)', lines))},
        'ratio': float(ratio[1]), 'pairs': [*map(float, ratio[2].split())]}

  def columns(found):
    return {
        **{f'{name}, files/s': f'{x[0]:.0f} ({x[1]:.0f}-{x[2]:.0f})'
           for name, x in found['files_a_second'].items()},
        'ratio': f'{found["ratio"]:.2f}',
        'of each pair': ' '.join(f'{x:.2f}' for x in found['pairs'])}

  return Row(measure, columns, minutes)


def scaling(minutes: float) -> Row:
  """A row of scaling.py, which has a file of results of its own."""
  def measure(tools):
    file = f'{os.path.splitext(tools.out)[0]}_scaling.jsonl'
    return {'file': file, 'lines': lines_of(
        [tools.python, str(HERE / 'scaling.py'), f'--out={file}'])}

  return Row(measure, lambda found: {'its own file': found['file']}, minutes)


def _bmsg_gan(size, minutes, **kwargs):
  return step([f'--rows={size}'], 'bmsg_gan.py', 'BMSG-GAN',
              '--depth={depth} --latent={latent}', minutes, **kwargs)


# Networks of both sides have equally many parameters. What takes long at full
# size has a smaller batch or fewer maps, on both sides.
ROWS = {
    'bmsg_gan_4_64_32': _bmsg_gan('4,64,32', 2.1, repeats=5, twice=True),
    'bmsg_gan_4_128_32': _bmsg_gan('4,128,32', 1.7),
    'bmsg_gan_5_256_16': _bmsg_gan('5,256,16', 3.3),
    'mimicry_sngan32': step(
        ['--config=mimicry_cifar10', '--config.train.batch=32'], 'mimicry.py',
        'mimicry', '', 3.7, seconds=4),
    'studiogan_dcgan': step(
        ['--config=lsgan_cifar10', '--config.objective.loss=non_saturating'],
        'studiogan.py', 'PyTorch-StudioGAN', '--model=DCGAN', 2.2),
    'studiogan_sngan': step(
        ['--config=mimicry_cifar10:cgan_pd', '--config.train.batch=32'],
        'studiogan.py', 'PyTorch-StudioGAN', '--model=SNGAN', 3.5, seconds=4),
    'stylegan2_ada_32px': step(
        ['--config=stylegan2_ada_cifar10', '--config.networks.fmap_max=64',
         '--config.train.batch=32'],
        'stylegan2_ada.py', 'stylegan2-ada-pytorch',
        '--cfg=cifar --augment=bgc --maps=64', 4.1),
    'stylegan2_ada_64px': step(
        ['--config=stylegan2_ada_folder:64', '--config.networks.fmap_max=64',
         '--config.networks.dtype=float32', '--config.train.batch=8'],
        'stylegan2_ada.py', 'stylegan2-ada-pytorch',
        '--resolution={resolution} --augment=bgc --maps=64', 6),
    'r3gan_32px': step(
        ['--config=r3gan_cifar10', '--config.networks.fmap_max=64',
         '--config.networks.dtype=float32', '--config.train.batch=64'],
        'r3gan.py', 'R3GAN', '--cond --augment --width=64', 4.2),
    'fid_pytorch_fid': fid('pytorch_fid.py', 'pytorch-fid', 'pytorch_fid', 6.9),
    'fid_torch_fidelity': fid(
        'torch_fidelity.py', 'torch-fidelity', 'torch_fidelity', 6.9),
    'start_landscape_resnet_cifar': start(
        'landscape_resnet_cifar', '--config.data.name=avatars',
        '--config.data.count=512', minutes=7.6),
    'start_quickstart': start('quickstart', minutes=1.3),
    'install': install(.5),
    'input': batch(1.4),
    'folder_128px': folder_of_pictures(128, 3000, 1),
    'folder_256px': folder_of_pictures(256, 1000, 1.2),
    'quickstart': quickstart(5, 8),
    'scaling': scaling(7),
}
