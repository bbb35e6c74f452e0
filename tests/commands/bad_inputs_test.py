"""One table of bad inputs: each has its text, and a branch of its own.

A row is what a person may get wrong, and runs through the command line. What
of one branch has many texts is in `errors_test.py` and beside its module.
"""
import collections
import contextlib
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import traceback
from typing import Any, NamedTuple
import zipfile

from absl import flags
from absl.testing import flagsaver
from helpers import ROOT
import jax
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.commands import main
from msg_gan_jax.config import schema
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import (
  checkpoints,
  orbax_storage,
  workdir,
)
from msg_gan_jax.training import monitor

# ml_collections loads an experiment so.
pytestmark = pytest.mark.filterwarnings(
    'ignore:the load_module:DeprecationWarning')

PACKAGE = os.path.join(ROOT, 'msg_gan_jax', '')
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
  gan = build(workdir.load_config(path))
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


ROWS = [
    # Settings: parse.
    config('a group that is a number', r'config\.train: wanted a group',
           "c['train'] = 3"),
    config('a setting that is not there', r'config\.train\.bacth: no such',
           "c['train']['bacth'] = 3"),
    config('a setting that is missing', r'config\.train\.batch: missing',
           "del c['train']['batch']"),
    config('a text for a number', r'config\.seed: wanted int, found str',
           "c['seed'] = '1'"),
    config('a number of 65 bits', r'config\.seed: wanted .* 64 bits.* 20001',
           "c['seed'] = 2**20_000"),
    config('a text with NUL', r'config\.data\.path: wanted text .* UTF-8',
           r"c['data']['path'] = '\0'"),
    config('not a number', r'g_rate: wanted a finite number, found nan',
           optimizer__g_rate='nan'),
    config('a number out of its range', r'config\.train\.n_dis: wanted 1 to',
           train__n_dis='1000'),
    config('a value of no meaning', r"resize: no value 'crop'; did you mean",
           data__resize='crop'),
    config('a name of no table', r"loss: no loss 'hinges'; did you mean 'hi",
           objective__loss='hinges'),
    # Settings: what does not go together.
    config('a size without a ladder', r'resolution: 30 cannot be .*: 28 or 32',
           data__resolution='30'),
    config('scales that are no list', r"scales: wanted sizes such as '8,16'",
           networks__scales='4,'),
    config('a scale that is not there', r'scales: .* no level of 7 px',
           networks__scales='4,7'),
    config('a group without a scale', r"scales: 'fine' is empty at 8 px",
           networks__scales='fine'),
    config('scales of a network without', r"scales: '4,8', but .*'mlp' shows",
           networks__name='mlp', networks__scales='4,8'),
    config('deviations of a network without',
           r"stddev: 'every' means nothing to .*'mlp'", networks__name='mlp'),
    config('a target of nothing', r'penalty_target: wanted 1\.0, found 2\.0',
           objective__penalty='none', objective__penalty_target='2'),
    config('a fall of nothing', r'augment_until_images: 9 means nothing',
           objective__augment_until_images='9'),
    config('points for a network of pictures',
           r"networks\.name: 'msg_progan' draws pictures, .*wanted 'mlp'",
           data__resolution='1', data__channels='2'),
    config('a batch of broken groups', r'batch: 6 is not a multiple of .* = 4',
           train__batch='6'),
    config('parts that do not divide', r'accumulate: 3 does not divide',
           train__accumulate='3'),
    config('parts of what is whole', r'accumulate: parts of 2 .*wanted accum',
           train__accumulate='4'),
    # Settings: networks of plain layers, and what they are told.
    config('norms of what is equalized', r"d_norm: 'batch', but .*'msg_progan'",
           networks__d_norm='batch'),
    config('orthogonal and equalized', r"d_weight_penalty: 'orthogonal', but",
           objective__d_weight_penalty='orthogonal'),
    config('a weight norm for a norm', r"d_norm: no norm 'spectral'; .* weight",
           **plain(networks__d_norm='spectral')),
    config('classes in no batch norm', r"'batch_norm', but .*g_norm = 'no",
           **plain(**told(networks__g_condition='batch_norm',
                          networks__g_norm='none'))),
    config('classes in the norms of none', r"'batch_norm', but .* has none",
           **told(networks__g_condition='batch_norm')),
    config('a size that is not doubled', r'resolution: 20, .* multiple of 8',
           **plain(data__resolution='20')),
    config('maps of dense layers', r"d_norm: 'instance', but .* wanted 'layer'",
           **plain(networks__name='vanilla', networks__d_norm='instance')),
    config('a chain from 12 px', r"resolution: 24, but .*'lapgan' .* as 16",
           **chain(data__resolution='24')),
    config('a chain of no widths', r"width: 9, but .*'lapgan' doubles .* 1 t",
           **chain(data__resolution='16', data__width='9')),
    config('a chain of another latent', r'latent: 8, but .* wants 356 .* 100',
           **chain(data__resolution='16')),
    config('a chain without lengths', r'level_images: 0, but .* an equal share',
           **chain(data__resolution='16', networks__latent='356')),
    config('a chain too long', r'level_images: 64 leaves no images of',
           **chain(data__resolution='16', networks__latent='356',
           train__level_images='64')),
    config('moments of no batch norm', r"statistics: 'batch' means nothing to",
           networks__statistics='batch'),
    config('more updates, not a multiple', r'n_dis_more: 7 .* one, such as 8',
           train__n_dis='2', train__n_dis_more='7'),
    config('told of no classes', r'classes: 0; wanted how many .* at least 2',
           networks__g_condition='concat', networks__d_condition='concat'),
    config('classes for nobody', r'classes: 3, but no player is told',
           networks__classes='3'),
    config('classes for one player', r"d_condition: 'none', but .* Wanted both",
           networks__classes='3', networks__g_condition='concat'),
    config('points as bytes', r'dequantize: True, but points are not bytes',
           data__name='ring', data__resolution='1', data__channels='2',
           data__dequantize='True', networks__name='mlp',
           networks__stddev='none'),
    config('penalties of a batch', r"penalty: 'gradient_penalty' asks for",
           **plain(networks__d_norm='batch')),
    config('fakes without their real', r'g_batches: 2, but .* compares each',
           train__g_batches='2', objective__loss='relativistic'),
    config('latents for too many fakes', r'g_batches: 2, but .*reuse_latents',
           train__g_batches='2', train__reuse_latents='True'),
    config('groups of too many fakes', r'g_batches: 2, but .*stddev_group = 0',
           train__g_batches='2', networks__stddev_group='0'),
    # Settings: pictures that are drawn.
    config('a path to what is drawn', r"path: 'x', but .* 'avatars' draws",
           data__path='x'),
    config('a factor that is not there', r"label: no factor 'hairs'",
           data__label='hairs'),
    config('too large a drawing', r'resolution: avatars are .* 8 to 1024',
           data__resolution='2048'),
    config('a drawing that is no square', r'width: 16; avatars are squares',
           data__width='16'),
    config('a drawing of two channels', r'channels: wanted 1, 3 or 4, found 2',
           data__channels='2'),
    config('classes of polygons', r"data\.label: 'x'; polygons have no class",
           data__name='polygons', data__label='x'),
    config('too large a polygon', r'resolution: polygons .* 8 to 256 pixels',
           data__name='polygons', data__resolution='512'),
    config('a coloured polygon', r'channels: polygons are grey; wanted 1',
           data__name='polygons'),
    config('classes of a toy', r"data\.label: 'x'; the classes of a toy",
           data__name='ring', data__label='x'),
    config('a toy of pictures', r"config\.data: 'ring' has points",
           data__name='ring'),

    # Flags, and the experiment that they name.
    Row('flags', 'no such flag', ['--wokdir=x'], r"--wokdir: no such flag; .*"
        "'workdir'.* Known: checkpoints, config, "),
    Row('flags', 'no such setting', ['--config.train.bacth=8'],
        r"--config\.train\.bacth: no such setting; .* 'train\.batch'.*"
        r'Known: train\.accumulate, train\.batch, '),
    Row('flags', 'a value of another type', ['--config.train.batch=many'],
        r"--config\.train\.batch: wanted int, found 'many'"),
    Row('flags', 'no experiment', ['--config'], r'--config: wanted an exp'
        'eriment, such as --config=quickstart'),
    Row('flags', 'an experiment that is not there', ['--config=quikstart'],
        r"--config: there is no experiment 'quikstart'.* mean 'quickstart'"),
    Row('flags', 'not a flag', ['quickstart'], r'quickstart: not a flag; did '
        'you mean --config=quickstart'),
    Row('flags', 'a flag of another mode', ['--separate'],
        r'--separate: a flag of --mode=sample; this is --mode=train'),
    Row('flags', 'samples of no run', ['--mode=sample'], r'--workdir: which'),
    Row('flags', 'one process of nobody knows how many', ['--process=1'],
        r'--coordinator, --processes, --process: wanted all three'),
    experiment('no get_config', r'wrong\.py has no get_config\(\); .*kstart',
               'x = 1\n'),
    experiment('no Python', r'wrong\.py, line 1: invalid syntax', 'def f(:\n'),
    experiment('an error of its own', r'line 2: ZeroDivisionError: division',
               'def get_config():\n  return 1 / 0\n'),
    experiment('no config', r"wanted a ConfigDict .* None; .*'return config'",
               'def get_config():\n  pass\n'),

    # Folders.
    folder('no path', r"config\.data\.path: is empty; data\.name='folder'",
           data__path=''),
    folder('a file as a folder', r"'set/a\.png' is a file; wanted the folder",
           data__path='set/a.png'),
    folder('no folder', r"no folder 'sets'; the nearest that exists is",
           data__path='sets'),
    folder('no pictures', r"no pictures in 'set'; .* found 1 \.txt",
           {'set/a.txt': 'x'}),
    folder('pictures beside folders', r"2 pictures lie loose .* 1 folders",
           {'set/a.png': png(), 'set/b.png': png(), 'set/c/c.png': png()}),
    folder('splits as classes', r'are splits and not classes: test, train',
           {'set/test/a.png': png(), 'set/train/b.png': png()}),
    folder('a broken picture', r"cannot read '.*set/c\.png': .*on_bad='skip'",
           {**PICTURES, 'set/c.png': png()[:50]}),
    folder('only broken pictures', r"all 1 pictures .* are broken; .*'c\.png'",
           {'set/c.png': b'none'}, data__on_bad='skip'),
    folder('a picture behind its header', r"cannot read '.*set/c\.png': ",
           {**PICTURES, 'set/c.png': png()[:150]}, data__cache_gb='0'),
    folder('pictures of two channels', r'channels: a picture has 1 .* found 2',
           data__channels='2'),
    folder('a single picture', r'set has 1 picture to train on; .* at least 2',
           {'set/a.png': png()}),
    folder('a setting of another source', r"dataset: 'x' means nothing to .*"
           "'folder'", data__dataset='x'),
    folder('a column of no file', r"label: 'x'; the classes of a folder are",
           data__label='x'),
    # Archives and arrays.
    archive('no path to an archive', r"path: is empty; data\.name='archive'",
            None, data__path=''),
    archive('a folder as an archive', r"'\.' is a folder; wanted an archive",
            None, data__path='.'),
    archive('no archive', r"no file 'a\.zip'; the nearest folder", None),
    archive('what is no archive', r"'a\.zip' is a RAR archive; wanted \.zip",
            b'Rar!' + bytes(99)),
    archive('a zip that is cut off', r'begins as a zip, but its table of cont',
            zipped(PICTURES)[:-30]),
    archive('a tar with a damaged header', r'is damaged: a member should beg',
            flipped(tarred(PICTURES), b'set/c.png' + bytes(30))),
    archive('a compressed thing', r'is compressed, but there is no tar in it',
            gzip.compress(b'Dear ')),
    archive('a compressed tar that is cut off', r'is cut off or damaged: ',
            tarred(PICTURES, 'w:gz')[:-200]),
    archive('labels that are damaged', r"label_file: cannot read 'dataset\.js",
            flipped(zipped({'a.png': png(), 'dataset.json': '{"a.png": 1}'}),
                    b'{"a.png": 1}')),
    archive('an array without a header', r"'images\.npy' has no header that",
            zipped({'images.npy': 'x' * 99})),
    archive('an array that is cut off', r"'images\.npy' says that it is uint8",
            zipped({'images.npy': zipfile.ZipFile(io.BytesIO(npz(
                images=IMAGES))).read('images.npy')[:-5]})),
    archive('an array that is damaged', r"'images\.?n?p?y?': its CRC-32",
            flipped(npz(images=IMAGES), IMAGES.tobytes())),
    archive('no such array', r"dataset: no array 'imgs' in .* mean 'images'",
            npz(images=IMAGES), data__dataset='imgs'),
    archive('two arrays of pictures', r'has several arrays .* Known: a, b',
            npz(a=IMAGES, b=IMAGES)),
    archive('pictures of floats', r"'images' is float64 .*\(255 \* x\)\.round",
            npz(images=IMAGES / 255)),
    archive('pictures that are programs', r"'images' is object .*, a pickle",
            npz(images=np.array([{}, {}]))),
    archive('channels in front', r"'images' is uint8 .*move the channels",
            npz(images=np.moveaxis(IMAGES, -1, 1))),
    archive('no array of labels', r"label: no array 'x' in .*Known: images",
            npz(images=IMAGES), data__label='x'),
    archive('too few labels', r"the array 'labels' is int64 \[3\]; "
            'wanted whole', npz(images=IMAGES, labels=np.arange(3))),
    archive('classes that are numbers', r"'classes' is int64 \[4\]; wanted t",
            npz(images=IMAGES, labels=np.arange(4), classes=np.arange(4))),
    archive('too few classes', r"labels' goes to 3, but 'classes' has 1 names",
            npz(images=IMAGES, labels=np.arange(4), classes=np.array(['a']))),
    # CIFAR and LMDB.
    folder('no CIFAR', r"no file or folder 'none'; wanted the archive cifar-",
           {}, **{**CIFAR, 'data__path': 'none'}),
    folder('a part of CIFAR', r"split: 'test'; cifar10 trains on all of its",
           cifar(bytes(3073)), **CIFAR, data__split='test'),
    folder('a CIFAR without a file', r'no data_batch_1\.bin in .* found noth',
           {'set/a.bin': b''}, **CIFAR),
    folder('a CIFAR that is cut off', r'data_batch_1\.bin in .* has 3072 byt',
           cifar(bytes(3072)), **CIFAR),
    folder('an eleventh class', r"label 10 of '.*data_batch_1\.bin\[0\]'",
           cifar(b'\x0a' + bytes(3072)), **CIFAR),
    folder('names of two classes', r'batches\.meta\.txt in .* names 2 classes',
           cifar(bytes(3073), **{'batches.meta.txt': b'a\nb\n'}), **CIFAR),
    folder('no database', r"no data\.mdb in 'set'; wanted the folder of an L",
           data__name='lmdb'),
    folder('what is no database', r"set' cannot be opened as an LMDB: ",
           {'set/data.mdb': b'x' * 9999}, data__name='lmdb'),

    # Runs and checkpoints.
    Row('checkpoints', 'a run that is not there', SAMPLE,
        r'run: no such folder\. There are no runs in'),
    run('a folder that lost its config', r'run: not a run, it has no config',
        letters),
    run('a config that is no JSON', r'config\.json: damaged \(',
        lambda path, here: (path / 'config.json').write_text('{"seed": ')),
    run('a setting of another version', r"json: no setting 'sed' in this vers",
        edited(lambda c: c.update(sed=1))),
    run('a wrong value in the file', r'json: config\.train\.batch: wanted 1 t',
        edited(lambda c: c['train'].update(batch=0))),
    run('no checkpoint yet', r'--workdir run: there is no checkpoint yet',
        emptied),
    run('checkpoints, each damaged in another way',
        r'(?s)run: none of the checkpoints in .* is intact:\n'
        r'  40: .*not the one that was saved\n  32: JSONDecodeError.*\n'
        r'  24: .*\n  16: .*\n  8: .*\nNothing was changed',
        harm_each_another_way),
    run('checkpoints that all lie aside', r'no checkpoints in .* but 5 in its',
        set_aside),
    run('a checkpoint of a newer version', r'40: written in format 99; .* 1\.',
        from_the_future),
    run('a checkpoint of other layers', r"has no 'state.*16.*another config",
        edited(lambda c: c['data'].update(resolution=16))),
    run('a checkpoint of other shapes', r"is float32\[.*; wanted float32\[",
        edited(lambda c: c['networks'].update(latent=4))),
    run('a checkpoint of more', r"'state\.more', for which there is no place",
        with_one_array_more, TRAIN),
    run('another config', r'(?s)started under another config:\n.*'
        r'config\.train\.batch: 8 -> 16\n', lambda path, here: None,
        [*TRAIN, '--config.train.batch=16']),
    run('a run of another process', r'run: in use by process \d+ on .* since',
        held, TRAIN),
    run('a folder of other things', r'not a run: it holds checkpoints, versi',
        letters, TRAIN),
    Row('checkpoints', 'a file as a run', ['--config=small.py',
        '--workdir=small.py'], r'small\.py: a file; wanted a folder'),
    Row('checkpoints', 'a run in the cloud', ['--config=small.py',
        '--workdir=gs://b/run'], r'--workdir gs:.*mount the bucket'),
    run('weights of an unknown part', r"init_parts: no part 'q'; .*Known: d,",
        new_run, start_of('old', '--config.train.init_parts=q')),
    run('weights of other layers', r'init_from: g: that run has other layers',
        new_run, start_of('old', '--config.data.resolution=16')),
    run('weights of other shapes', r'init_from: g.*: that run has \(.*wants',
        new_run, start_of('old', '--config.networks.latent=4')),

    # Latents.
    latents('no file of latents', r'--z_file: there is no file z\.npy', None),
    latents('no array', r'--z_file: z\.npy is not an array of numpy', 'x'),
    latents('latents of another size', r'wanted an array \[n, 8\], found \[2,',
            np.zeros((2, 9))),
    latents('latents that are not finite', r'wanted finite numbers, .* 16 ',
            np.full((2, 8), np.nan)),
    # Files of labels.
    folder('no file of labels', r"label_file: no file 'x\.csv', neither in",
           data__label_file='x.csv')._replace(group='z and labels'),
    labels('labels in a picture', r'label_file: .* ends in \.json', 'x',
           'labels.doc'),
    labels('labels in Latin-1', r'line 2: is not UTF-8 \(.*save it as UTF-8',
           b'file,label\na.png,\xe9\n'),
    labels('half a JSON', r'line 1: is not JSON: ', '{"a.png": ', 'x.json'),
    labels('a JSON of a number', r'holds int; wanted an object', '3',
           'x.json'),
    labels('a row without a label', r"labels\[0\] is \['a\.png'\]; wanted \[f",
           '{"labels": [["a.png"]]}', 'x.json'),
    labels('a list of no objects', r'item 0 is 3; wanted an object with a fil',
           '[3]', 'x.json'),
    labels('a CSV of one column', r'no comma, semicolon or tab in its first',
           'a.png\nb.png\n'),
    labels('a row of three cells', r'line 3: 3 cells; wanted 2',
           'file,label\na.png,1\nb.png,1,1\n'),
    labels('a quote that does not end', r'line 2: is not CSV: ',
           'file,label\n"a.png,1\n'),
    labels('labels of other pictures', r'names none of the pictures, such as '
           r"'a\.png'; the first row is \['x\.png'", 'file,label\nx.png,1\n'),
    labels('a column of no header', r"label: 'x', but the columns .* no names",
           'a.png,1\nb.png,1\nc.png,1\n', data__label='x'),
    labels('no such column', r"label: no column 'labl' .* did you mean 'label",
           'file,label\na.png,1\n', data__label='labl'),
    labels('columns without names', r'has 3 columns without a name that says',
           'a.png,1,2\nb.png,1,2\n'),
    labels('which column?', r'which column of .* is the label\? Known: x, y',
           'file,x,y\na.png,1,2\n'),
    labels('a picture twice', r"lists 'a\.png' twice, as 1 and as 2; wanted o",
           'file,label\na.png,1\na.png,2\n'),
    labels('a picture without a label', r"no label for 'b\.png', nor for 1 o",
           'file,label\na.png,1\n'),
    labels('labels of several kinds', r"labels of several kinds: .*'b\.png'",
           '{"a.png": 1, "b.png": "x", "c.png": 1}', 'x.json'),
    labels('labels that are lists', r"the label of 'a\.png' is \[1\]; wanted",
           '{"a.png": [1], "b.png": [1], "c.png": [1]}', 'x.json'),
    labels('a class of minus two', r"label of 'a\.png' is -2; wanted whole",
           'file,label\na.png,-2\nb.png,1\nc.png,1\n'),
    labels('a class too high', r"label of 'c\.png' is 1000000; wanted classes",
           'file,label\na.png,0\nb.png,1\nc.png,1000000\n'),
]
NAMES = [row.name for row in ROWS]
LEAST = {'config': 15, 'flags': 10, 'data': 15, 'checkpoints': 10,
         'z and labels': 10}


class Outcome(NamedTuple):
  """What the command did.

  Attributes:
    status, out, err: its exit status and its words.
    branch: where msg_gan_jax raised, 'file:line'.
    began: whether there is a run now that was not there before.
  """
  status: int
  out: str
  err: str
  branch: str
  began: bool = False


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """A run of five checkpoints that nobody trained."""
  here = Here(tmp_path_factory.mktemp('whole'), None, None)
  values = schema.template().to_dict()
  for name, value in SMALL.items():
    section, field = name.split('.')
    values[section][field] = value
  gan = build(schema.parse(values))
  state = gan.init(jax.random.key(0))
  with workdir.Workdir(here.path / 'run') as folder:
    folder.start(schema.parse(values))
  with checkpoints.Checkpoints(here.path / 'run' / 'checkpoints', 9) as c:
    for step in STEPS:
      c.save(step, {'state': state, 'before': monitor.like_grid(gan)})
  return here.path / 'run'


@pytest.fixture(scope='module')
def outcome(whole, tmp_path_factory):
  """Row -> Outcome; each row runs once."""
  found = {}

  def of(row):
    if row.name not in found:
      path = tmp_path_factory.mktemp('row')
      with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as m:
        made = row.make
        here = Here(path, whole, stack)
        argv = made(here) if callable(made) else made
        m.chdir(path)
        run = path / 'run' / 'config.json'
        before = run.exists()
        found[row.name] = command(argv, m)._replace(
            began=run.exists() and not before)
    return found[row.name]

  return of


def command(argv, monkeypatch):
  """launch.py in this process."""
  raised, text = [], main._text
  monkeypatch.setattr(main, '_text', lambda e: raised.append(e) or text(e))
  # The suite has a cache of its own.
  monkeypatch.setattr(main, '_set_up_jax', lambda: None)
  monkeypatch.setattr(sys, 'argv', ['launch.py', *argv])
  out, err = io.StringIO(), io.StringIO()
  saved = flagsaver.save_flag_values(flags.FLAGS)
  try:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      with pytest.raises(SystemExit) as ended:
        main.main(main._parse(sys.argv))
  finally:
    flagsaver.restore_flag_values(saved, flags.FLAGS)
  ours = [f'{frame.filename.removeprefix(PACKAGE)}:{frame.lineno}'
          for error in raised
          for frame in traceback.extract_tb(error.__traceback__)
          if frame.filename.startswith(PACKAGE)]
  return Outcome(ended.value.code, out.getvalue(), err.getvalue(),
                 ours[-1] if ours else '')


@pytest.mark.parametrize('row', ROWS, ids=NAMES)
def test_a_bad_input_is_told_in_words(row, outcome):
  status, out, err, branch, began = outcome(row)
  assert status == 1 and not began and 'Traceback' not in out + err
  assert err.count('error: ') == 1, err
  assert err.endswith('\n(--debug shows where)\n')
  said = err[err.index('error: '):]
  assert re.search(row.text, said), (row.text, said)
  assert len(said.partition('Known: ')[0]) < 2000
  assert branch


def test_no_two_rows_are_of_the_same_branch(outcome):
  rows_of = collections.defaultdict(list)
  for row in ROWS:
    rows_of[outcome(row).branch].append(row.name)
  assert {k: v for k, v in rows_of.items() if len(v) > 1} == {}
  counts = collections.Counter(row.group for row in ROWS)
  print(len(ROWS), 'rows:', dict(counts))
  assert len(NAMES) == len(set(NAMES)) >= 60
  assert all(counts[group] >= least for group, least in LEAST.items())


@pytest.mark.slow
@pytest.mark.parametrize('name', [
    'a batch of broken groups', 'no such flag', 'a zip that is cut off',
    'checkpoints, each damaged in another way', 'a row of three cells'])
def test_a_process_ends_with_1_and_without_a_traceback(name, whole, tmp_path):
  row = ROWS[NAMES.index(name)]
  with contextlib.ExitStack() as stack:
    here = Here(tmp_path, whole, stack)
    argv = row.make(here) if callable(row.make) else row.make
    found = subprocess.run(
        [sys.executable, str(ROOT / 'launch.py'), *argv], cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
        env={**os.environ, 'PYTHONPATH': str(ROOT)})
  assert found.returncode == 1 and found.stdout == ''
  assert found.stderr.startswith('error: ')
  assert re.search(row.text, found.stderr)
  assert 'Traceback' not in found.stderr
