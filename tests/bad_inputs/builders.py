"""What makes bad inputs: a function each, of a folder for it."""
import io
import json
import shutil
import tarfile
from typing import Any, NamedTuple
import zipfile

import jax
import numpy as np
from PIL import Image

from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import checkpoints, config_file, orbax_storage, workdir
from msg_gan_jax.training import monitor

SMALL = {'data.resolution': 8, 'data.count': 64, 'data.held_out': 0,
         'data.cache_dir': 'cache', 'networks.latent': 8,
         'networks.fmap_max': 8, 'networks.fmap_base': 64, 'train.batch': 8,
         'train.total_images': 8}
TRAIN = ['--config=small.py', '--workdir=run']
SAMPLE = ['--mode=sample', '--workdir=run']
STEPS = (8, 16, 24, 32, 40)  # Of the run that rows do harm to.


class Row(NamedTuple):
  """A bad input.

  Attributes:
    group: which of GROUPS.
    name: of the row, in words.
    make: Here -> argv, or argv itself.
    text: what the error must say, as a regular expression.
  """
  group: str
  name: str
  make: Any
  text: str


class Here:
  """The folder that a row is run in.

  Args:
    path: empty; it becomes the working directory.
    whole: a run with checkpoints at STEPS.
    stack: contextlib.ExitStack that ends with the row.
  """

  def __init__(self, path, whole, stack):
    self.path, self.whole, self.stack = path, whole, stack
    self.experiment('small.py')

  def write(self, files):
    for name, content in files.items():
      path = self.path / name
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_bytes(
          content if isinstance(content, bytes) else content.encode())

  def experiment(self, name, code='', **settings):
    """A config file; `code` edits the nested dict `c`."""
    lines = [f"  c[{k.partition('.')[0]!r}][{k.partition('.')[2]!r}] = {v!r}"
             for k, v in {**SMALL, **settings}.items()]
    self.write({name: '\n'.join([
        'import ml_collections',
        'from msg_gan_jax.config import template\n\n',
        'def get_config():', '  c = template().to_dict()', *lines,
        f'  {code}', '  return ml_collections.ConfigDict(c)\n'])})

  def run(self, name='run'):
    """A copy of the whole run."""
    return shutil.copytree(self.whole, self.path / name)


def png(seed=0):
  pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, 'PNG')
  return file.getvalue()


PICTURES = {f'set/{name}.png': png(i) for i, name in enumerate('abc')}


def flagged(**settings):
  """Flags of settings, '__' for the dot."""
  return [f'--config.{k.replace("__", ".")}={v}' for k, v in settings.items()]


def config(name, text, code='', **settings):
  """A row of a config file, by code or by settings as of flags."""
  def make(here):
    here.experiment('wrong.py', code)
    return ['--config=wrong.py', '--workdir=run', *flagged(**settings)]
  return Row('config', name, make, text)


def experiment(name, text, source):
  def make(here):
    here.write({'wrong.py': source})
    return ['--config=wrong.py']
  return Row('flags', name, make, text)


def folder(name, text, files=PICTURES, **settings):
  def make(here):
    here.write(files)
    return [*TRAIN, *flagged(**{
        'data__name': 'folder', 'data__path': 'set',
        'data__count': '20000', **settings})]
  return Row('data', name, make, text)


def archive(name, text, content, **settings):
  return folder(name, text, {} if content is None else {'a.zip': content},
                **{'data__name': 'archive', 'data__path': 'a.zip', **settings})


def labels(name, text, content, file='labels.csv', **settings):
  return folder(
      name, text, {**PICTURES, f'set/{file}': content},
      **{'data__label_file': file, **settings})._replace(group='z and labels')


def latents(name, text, content):
  def make(here):
    here.run()
    if isinstance(content, np.ndarray):
      np.save(here.path / 'z.npy', content)
    elif content is not None:
      here.write({'z.npy': content})
    return [*SAMPLE, '--z_file=z.npy']
  return Row('z and labels', name, make, text)


def run(name, text, harm, argv=SAMPLE):
  """A row of a run that is harmed first: harm(its path, here)."""
  def make(here):
    path = here.run()
    harm(path, here)
    return argv
  return Row('checkpoints', name, make, text)


def zipped(files, **options):
  file = io.BytesIO()
  with zipfile.ZipFile(file, 'w', **options) as opened:
    for name, content in files.items():
      opened.writestr(name, content)
  return file.getvalue()


def tarred(files, mode='w'):
  file = io.BytesIO()
  with tarfile.open(fileobj=file, mode=mode) as opened:
    for name, content in files.items():
      info = tarfile.TarInfo(name)
      info.size = len(content)
      opened.addfile(info, io.BytesIO(content))
  return file.getvalue()


def npz(**arrays):
  file = io.BytesIO()
  np.savez(file, **arrays)
  return file.getvalue()


def flipped(data, part):
  """bytes with one bit changed, at a part of them or in the middle of one."""
  at = (data.index(part) + len(part) // 2 if isinstance(part, bytes)
        else int(part * len(data)))
  return data[:at] + bytes([data[at] ^ 16]) + data[at + 1:]


IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
CIFAR = dict(data__name='cifar10', data__path='set', data__resolution='32')


def cifar(rows, **files):
  """Files of a CIFAR-10, each of the record bytes `rows`."""
  found = {f'data_batch_{i}.bin': rows for i in range(1, 6)}
  found |= {'test_batch.bin': rows} | files
  return {f'set/{name}': content for name, content in found.items()}


def edited(change):
  """Harm to a run's config.json: change(its values)."""
  def harm(path, here):
    del here
    values = json.loads((path / 'config.json').read_text())
    change(values)
    (path / 'config.json').write_text(json.dumps(values))
  return harm


def largest(path, step):
  """The file with most of a checkpoint's arrays."""
  return max((path / 'checkpoints' / str(step) / 'state').rglob('d/*'),
             key=lambda file: file.stat().st_size)


def harm_each_another_way(path, here):
  del here
  steps = path / 'checkpoints'
  file = largest(path, 8)
  file.write_bytes(flipped(file.read_bytes(), .5))
  file = largest(path, 16)
  file.write_bytes(file.read_bytes()[:100])
  largest(path, 24).unlink()
  (steps / '32' / 'record' / 'metadata').write_text('{"format": 1, ')
  shutil.rmtree(steps / '40')
  shutil.copytree(steps / '32', steps / '40')
  (steps / '40' / 'record' / 'metadata').write_text('{}')


def from_the_future(path, here):
  del here
  file = path / 'checkpoints' / str(STEPS[-1]) / 'record' / 'metadata'
  record = json.loads(file.read_text())
  del record['digest']
  record['format'] = 99
  file.write_text(json.dumps(orbax_storage._sealed(record)))


def with_one_array_more(path, here):
  del here
  gan = build(config_file.load_config(path))
  state = dict(vars(gan.init(jax.random.key(0))), more=jax.numpy.zeros(3))
  with checkpoints.Checkpoints(path / 'checkpoints', 9) as c:
    c.save(99, {'state': state, 'before': monitor.like_grid(gan)})


def emptied(path, here):
  del here
  shutil.rmtree(path / 'checkpoints')


def set_aside(path, here):
  del here
  (path / 'checkpoints').rename(path / 'damaged')
  (path / 'checkpoints').mkdir()
  (path / 'damaged').rename(path / 'checkpoints' / 'damaged')


def held(path, here):
  here.stack.enter_context(workdir.Workdir(path))


def letters(path, here):
  (path / 'config.json').unlink()


def new_run(path, here):
  """The run becomes another one's start."""
  path.rename(here.path / 'old')


def start_of(run, *argv):
  return [*TRAIN, f'--init_from={run}', *argv]


def plain(**more):
  """Settings of a network of plain layers."""
  return {'networks__name': 'dcgan_32', 'networks__stddev': 'none',
          'networks__g_norm': 'batch', 'objective__penalty': 'gradient_penalty',
          **more}


def chain(**more):
  """Settings of a chain of GANs."""
  return {'networks__name': 'lapgan', 'networks__stddev': 'none', **more}


def told(**more):
  """Settings of a D that is told of classes."""
  return {'networks__classes': '3', 'networks__d_condition': 'projection',
          **more}
