"""Laws of nonsense: whatever comes in, pixels or words for a person come out.

Each law is a process of its own, so that a crash of C code is seen and the
peak of memory is that of the fuzzing. `python tests/fuzz_test.py configs` runs
one of them.
"""
import contextlib
import gc
import io
import json
import os
import pathlib
import re
import resource
import runpy
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from helpers import ROOT
import hypothesis
from hypothesis import strategies as st
import numpy as np
from PIL import Image
import pytest

SECONDS, GIGABYTES = 10, 4  # The most that one example, and all of them, take.
# Fixed, for a suite that fails by chance is not read; nothing is kept.
SETTINGS = dict(
    derandomize=True, database=None, deadline=None,  # `Count` has one.
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck))
PARTS = st.floats(0, 1)  # A place in a file or a text, by its share.
NUMBERS = (0, 1, 2**31 - 1, 2**32 - 1)


class Count:
  """How many examples ended how, and how long the longest computed.

  Of this process alone, so that other programs do not count; what waits for
  ever ends with the process.
  """

  def __init__(self):
    self.accepted, self.refused, self.longest = 0, 0, 0.

  @contextlib.contextmanager
  def one(self, pattern):
    """One example; a ValueError whose text has the pattern is an answer."""
    start = time.process_time()
    try:
      yield
    except ValueError as error:
      if type(error) is not ValueError or not re.search(pattern, str(error)):
        raise
      self.refused += 1
    else:
      self.accepted += 1
    self.longest = max(self.longest, time.process_time() - start)

  def report(self):
    return {'examples': self.accepted + self.refused,
            'refused': self.refused, 'accepted': self.accepted,
            'longest_s': round(self.longest, 2),
            'peak_gb': round(peak() / 1e9, 2)}


def peak():
  """Bytes of memory at most; getrusage's begin with those of the parent."""
  with contextlib.suppress(FileNotFoundError):  # Linux has it.
    status = pathlib.Path('/proc/self/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # As on a Mac.


def given(examples, **strategies):
  """A function of what hypothesis draws, called `examples` times."""
  def run(function):
    hypothesis.settings(max_examples=examples, **SETTINGS)(
        hypothesis.given(**strategies)(function))()
  return run


# Pictures.


def packed(image, form, moving=False, **options):
  file = io.BytesIO()
  if moving:
    options.update(save_all=True, append_images=[image.rotate(90)])
  image.copy().save(file, form, **options)  # For a save leaves its marks.
  return file.getvalue()


def png(width, height, depth, colour, rows, interlaced=0):
  """PNG of given rows; PIL writes neither 16-bit colour nor interlaced."""
  header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0,
                       interlaced)
  pixels = zlib.compress(b''.join(b'\0' + row for row in rows))
  return b'\x89PNG\r\n\x1a\n' + b''.join(
      struct.pack('>I', len(body)) + kind + body
      + struct.pack('>I', zlib.crc32(kind + body))
      for kind, body in ((b'IHDR', header), (b'IDAT', pixels), (b'IEND', b'')))


def seeds():
  """{name.extension: bytes}: every format and mode that is read."""
  rng = np.random.default_rng(0)
  colour = Image.fromarray(rng.integers(0, 256, (17, 33, 3), np.uint8))
  small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
  deep = Image.fromarray(rng.integers(0, 2**16, (9, 7), np.uint16))
  clear = small.convert('RGBA')
  clear.putalpha(small.convert('L'))
  turned = Image.Exif()
  turned[274] = 6
  by_mode = {mode: small.convert(mode) for mode in (
      '1', 'L', 'P', 'LA', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'F')}
  adam7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
           (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
  grey = np.asarray(by_mode['L'])
  found = {
      'deep.png': packed(deep, 'PNG'),
      'moving.png': packed(small, 'PNG', moving=True),
      'turned.png': packed(colour, 'PNG', exif=turned),
      'one_clear.png': packed(small, 'PNG', transparency=(1, 2, 3)),
      'palette_clear.png': packed(by_mode['P'], 'PNG', transparency=0),
      'interlaced.png': png(8, 8, 8, 0, [
          grey[y, x0::dx].tobytes() for x0, y0, dx, dy in adam7
          for y in range(y0, 8, dy)], interlaced=1),
      'deep_colour.png': png(4, 3, 16, 2, [rng.bytes(24) for _ in range(3)]),
      'grey.jpg': packed(by_mode['L'], 'JPEG'),
      'cmyk.jpg': packed(by_mode['CMYK'], 'JPEG'),
      'progressive.jpeg': packed(colour, 'JPEG', progressive=True),
      'turned.jpg': packed(colour, 'JPEG', exif=turned),
      'two.jpg': packed(small, 'MPO', moving=True),
      'moving.gif': packed(small, 'GIF', moving=True),
      'colour.gif': packed(colour, 'GIF'),
      'lossy.webp': packed(colour, 'WEBP', exif=turned),
      'clear.webp': packed(clear, 'WEBP', lossless=True),
      'moving.webp': packed(small, 'WEBP', moving=True),
      'deep.tif': packed(deep, 'TIFF'),
      'pages.tiff': packed(small, 'TIFF', moving=True),
      'fax.tif': packed(by_mode['1'], 'TIFF', compression='group4'),
  }
  for compression in ('tiff_lzw', 'tiff_adobe_deflate', 'packbits', 'jpeg'):
    found[f'{compression}.tif'] = packed(
        colour, 'TIFF', compression=compression)
  for form, modes in {'PNG': '1 L P LA RGB RGBA', 'BMP': '1 L P RGB RGBA',
                      'TIFF': 'L P LA RGB RGBA CMYK YCbCr F'}.items():
    for mode in modes.split():
      found[f'{mode}.{form.lower()}'] = packed(by_mode[mode], form)
  for form in ('PNG', 'JPEG', 'GIF', 'WEBP', 'BMP', 'TIFF'):
    found[f'tiny.{form.lower()}'] = packed(small.crop((0, 0, 1, 1)), form)
  return found


def place(data, part):
  return min(int(part * len(data)), len(data))


def harm(data, kind, a, b, value, other):
  """bytes after one mutation; a and b are PARTS."""
  low, high = sorted((place(data, a), place(data, b)))
  # Most of what a reader trusts stands in front.
  front = int(a * min(len(data), 128))
  if kind == 'flip':
    at = front if value % 2 else low
    return data[:at] + bytes(
        x ^ (value % 255 + 1) for x in data[at:at + 1]) + data[at + 1:]
  if kind == 'cut':
    return data[:low]
  if kind == 'double':
    return data[:high] + data[low:]
  if kind == 'remove':
    return data[:low] + data[high:]
  if kind == 'exchange':
    return data[:low] + other[low:high] + data[high:]
  order, width = ('<' if value % 2 else '>'), ('I', 'H')[value % 3 == 0]
  number = NUMBERS[value // 2 % 4] & (2**32 - 1 if width == 'I' else 2**16 - 1)
  new = struct.pack(order + width, number)
  return data[:front] + new + data[front + len(new):]


def with_true_sums(data):
  """A PNG with the right checksums, or PIL would look no further."""
  found, at = data[:8], 8
  while at + 12 <= len(data):
    size = struct.unpack('>I', data[at:at + 4])[0]
    body = data[at + 4:at + 8 + size]
    found += data[at:at + 4] + body + struct.pack('>I', zlib.crc32(body))
    at += 12 + size
  return found


def fuzz_pictures(tmp, count):
  from msg_gan_jax.data import decode, pictures
  from msg_gan_jax.data.stores import folder
  files = seeds()
  names = st.sampled_from(sorted(files))
  harms = st.tuples(
      st.sampled_from(['flip', 'cut', 'double', 'remove', 'exchange',
                       'number', 'number']), PARTS, PARTS,
      st.integers(0, 255), names)
  mutated = st.tuples(names, st.lists(harms, min_size=1, max_size=3),
                      st.booleans())
  noise = st.tuples(
      st.sampled_from(decode.EXTENSIONS), st.binary(max_size=200))
  good = tmp / 'set' / 'good.png'
  good.parent.mkdir()
  good.write_bytes(files['RGB.png'])

  def file(drawn):
    if len(drawn) == 2:
      return f'noise{drawn[0]}', drawn[1]
    name, harms, mend = drawn
    data = files[name]
    for kind, a, b, value, other in harms:
      data = harm(data, kind, a, b, value, files[other])
    is_png = data[:4] == b'\x89PNG'
    return name, with_true_sums(data) if is_png and mend else data

  def read(on_bad, channels, resize, streamed):
    found = pictures.Pictures(
        folder.Folder(str(good.parent)),
        decode.Recipe(8, 12, channels, resize, 'lanczos'), on_bad,
        str(tmp / 'cache'), cache_gb=0. if streamed else 1.)
    pixels = found.images(np.arange(len(found)))
    assert pixels.shape == (len(found), 8, 12, channels)
    assert pixels.dtype == np.uint8
    assert len(found) + len(found.notes['skipped']) == 2
    return found

  @given(1000, drawn=st.one_of(mutated, mutated, mutated, noise),
         way=st.tuples(
             st.sampled_from(sorted(decode.MODES)),
             st.sampled_from(['center_crop', 'pad', 'stretch']),
             st.booleans()))
  def _(drawn, way):
    name, data = file(drawn)
    path = good.with_name(name)
    path.write_bytes(data)
    try:
      with count.one(rf'^config\.data\.path: cannot read .*{re.escape(name)}.*'
                     r"on_bad='skip'\.$"):
        assert not read('error', *way).notes['skipped']
      found = read('skip', *way)
      for skipped, why in found.notes['skipped']:
        assert skipped == name and why
    finally:
      path.unlink()


# Settings.

TEMPLATES = {
    'msg': {
        'data.resolution': 8, 'networks.latent': 8, 'networks.fmap_max': 8,
        'networks.fmap_base': 64, 'networks.stddev': 'last',
        'objective.penalty': 'none', 'train.batch': 8, 'data.count': 64,
        'data.held_out': 16},
    'mlp': {
        'data.name': 'ring', 'data.resolution': 1, 'data.channels': 2,
        'networks.name': 'mlp', 'networks.stddev': 'none',
        'networks.latent': 2, 'networks.fmap_max': 8,
        'objective.penalty': 'none', 'objective.drift': 0., 'data.count': 64,
        'train.batch': 8, 'data.held_out': 16},
}
ODD = [None, True, [], [8], {}, {'a': 1}, b'8', 8 + 0j, (1, 2)]
NUMERIC = [0, 1, 2, 3, 4, 8, 12, 16, 32, -1, 255, 2**31, 2**63, -2**64, 10**20,
           10**400, -10**400, 10**4000, .5, 1.5, 1e-320, 1e30, 1e300, -.1,
           float('nan'), float('inf'), -float('inf')]
WORDS = ['', ' ', '8', '4,8', '8,', '²', '٨,8', 'é漢🂡', 'a' * 300, '\0',
         '\ud800', '../..', '/dev/null', '~', '~nouser/x', "'", '%s', '{}',
         'none', 'all']


def values(about, default):
  """Values that a setting might be given: legal ones, nearly so, nonsense."""
  edges = [x for x in (about['low'], about['high']) if x is not None]
  legal = st.sampled_from([default, *edges, *about['one_of']])
  if isinstance(default, bool):
    legal = st.booleans()
  elif isinstance(default, str):
    wrong = [default[:-1], default + 'x', default.upper(), *WORDS]
  else:
    few = st.integers(0, 12)  # Mostly of two, for much has to divide.
    legal |= few.map(lambda n: type(default)(
        2**(n // 2) if n % 2 else max(n, about['low'] or 0)))
    wrong = [x + step for x in edges for step in (1, -1)] + NUMERIC
  return st.one_of(legal, legal, legal, st.sampled_from(
      ODD + (NUMERIC if isinstance(default, bool) else wrong)))


def rows():
  """{setting: names of the rows that it chooses among}."""
  from msg_gan_jax.data import sources
  from msg_gan_jax.gan import optimizers, pyramid
  from msg_gan_jax.gan.networks import phi
  from msg_gan_jax.gan.networks import table as build
  from msg_gan_jax.gan.objectives import (
    augmentations,
    losses,
    penalties,
  )
  tables = [sources.SOURCES, build.NETWORKS, phi.PHI, pyramid.GROUPS,
            losses.LOSSES, augmentations.AUGMENTATIONS, penalties.PENALTIES,
            optimizers.OPTIMIZERS]
  return {table.place.removeprefix('config.'): sorted(table)
          for table in tables}


def edits():
  """A strategy of one edit: (what is done, name, value)."""
  from msg_gan_jax.config import schema as config_lib
  flat, known = config_lib.flatten(config_lib.Config()), rows()
  one = [st.tuples(st.just('set'), st.just(name), values(
      {**about, 'one_of': [*about['one_of'], *known.get(name, ())]},
      flat[name])) for name, about in config_lib.metadata().items()]
  names = st.sampled_from(sorted(flat) + ['data', 'train', 'networks'])
  odd = st.one_of(
      st.tuples(st.just('set'), names, st.sampled_from(ODD + NUMERIC + WORDS)),
      st.tuples(st.just('remove'), names, st.none()),
      st.tuples(st.just('set'), names.map(lambda x: x[:-1]), st.just(1)),
      st.tuples(st.just('set'), names.map(lambda x: x + '.b'), st.just(1)))
  return st.one_of(*one, *one, *one, odd, odd)


def edited(template, changes):
  """The nested dict of a config after all changes that can be made."""
  from msg_gan_jax.config import schema as config_lib
  whole = config_lib.template().to_dict()
  for what, name, value in [
      *(('set', *x) for x in TEMPLATES[template].items()), *changes]:
    *groups, field = name.split('.')
    group = whole
    for x in groups:
      group = group.get(x) if isinstance(group, dict) else None
    if isinstance(group, dict):
      if what == 'remove':
        group.pop(field, None)
      else:
        group[field] = value
  return whole


def fuzz_configs(tmp, count):
  import jax

  from msg_gan_jax.arrays.mesh import data_mesh
  from msg_gan_jax.commands import dry_run as inspect
  from msg_gan_jax.config import schema as config_lib
  from msg_gan_jax.data import sources
  from msg_gan_jax.gan import build as gan_lib
  from msg_gan_jax.gan.devices import check_batch
  (tmp / 'set').mkdir()
  for name in ('a', 'b', 'c', 'd'):
    (tmp / 'set' / f'{name}.png').write_bytes(seeds()['RGB.png'])
  traced = set()

  def trace(config, gan):
    """The step's shapes; once for all that differ in what it never sees."""
    seen = (config.networks, config.objective, config.optimizer,
            config.data.shape, config.train.batch, config.train.n_dis,
            config.train.accumulate, config.train.reuse_latents,
            config.train.ema_half_life_images)
    if seen in traced:
      return
    key = jax.random.key(0)
    state = jax.eval_shape(gan.init, key)
    jax.eval_shape(lambda *args: gan.step(*args, gan.phase(0)), state,
                   inspect._batch(config, gan.phase(0)), key)
    traced.add(seen)

  def dry_run(values):
    config = config_lib.parse(values)
    hash(config)
    gan = gan_lib.build(config)
    check_batch(config, data_mesh())
    trace(config, gan)
    train = sources.open_source(config).train
    picked = np.arange(min(4, len(train)))
    pixels, labels = train.images(picked), train.labels(picked)
    assert pixels.shape == (len(picked), *config.data.shape)
    assert labels.shape == (len(picked),) and train.shape == config.data.shape

  where = [('set', 'data.name', 'folder'),
           ('set', 'data.path', str(tmp / 'set'))]
  here = ('set', 'data.cache_dir', str(tmp / 'cache'))

  @given(1000, template=st.sampled_from(['msg', 'msg', 'mlp']),
         from_files=st.sampled_from([[], [], where]),
         changes=st.lists(
             edits(), min_size=1, max_size=4, unique_by=lambda x: x[1]))
  def _(template, from_files, changes):
    with count.one(r'config\.\w+'):
      dry_run(edited(template, [here, *from_files, *changes]))


# Experiments and flags.

EXPERIMENT = '''"""An experiment: python launch.py --config=small.py"""
from msg_gan_jax.config import template


def get_config(preset='msg_progan'):
  config = template(preset)
  config.data.resolution = 8
  config.networks.update(latent=8, fmap_max=8)
  with config.unlocked():
    config.train.batch = 8
  for rate in ('g_rate', 'd_rate'):
    config.optimizer[rate] = .003
  return config
'''
PIECES = ['', '\n', '  ', '(', ')', ':', '"', "'", '\\', '#', '.', '=', '0',
          '1e9', '-', 'nan', 'None', 'config', 'return ', 'import ', 'exit()',
          '\t', '\0', 'é', '\ufeff', '# coding: klingon\n',
          'raise SystemExit\n']


def fuzz_command(tmp, count):
  from absl import flags
  from absl.testing import flagsaver

  from msg_gan_jax.commands import experiments, main, shared_flags
  from msg_gan_jax.config import schema as config_lib
  path = tmp / 'small.py'
  saved = flagsaver.save_flag_values(flags.FLAGS)

  @given(200, harms=st.lists(
      st.tuples(PARTS, st.integers(0, 6), st.sampled_from(PIECES)),
      min_size=1, max_size=3), encoding=st.sampled_from(['utf-8', 'utf-16']))
  def _(harms, encoding):
    text = EXPERIMENT
    for part, length, piece in harms:
      at = place(text, part)
      text = text[:at] + piece + text[at + length:]
    path.write_text(text, encoding=encoding)
    with count.one(r'^--config: |^config\.|^template: '):
      experiments.try_experiment(str(path), [])
      config_lib.parse(runpy.run_path(str(path))['get_config']())

  words = st.sampled_from(
      [*map(repr, NUMERIC[:15] + NUMERIC[18:]), *(
          x for x in WORDS if x not in ('\0', '\ud800')), 'true', 'no', '0x10',
       '1_0', ' 8 ', '8.', '1e400', '=', '--', None])
  names = st.sampled_from([
      *config_lib.metadata(), '', '.', 'data', 'data.', 'data.name.x',
      'trian.batch', 'train.bacth', 'Data.path', 'data..path', 'é'])

  @given(400, name=names, word=words,
         flag=st.sampled_from(['--config.', '-config.', '--noconfig.']))
  def _(name, word, flag):
    said = io.StringIO()
    argv = ['launch.py', f'{flag}{name}' + ('' if word is None else f'={word}')]
    with count.one(r'^error: '), contextlib.redirect_stderr(said):
      try:
        main._parse(argv)
        config_lib.parse(shared_flags.CONFIG.value)
      except SystemExit as ended:
        assert ended.code == 1
        raise ValueError(said.getvalue()) from None
      except ValueError as error:
        raise ValueError(f'error: {error}') from None
      finally:
        flagsaver.restore_flag_values(saved, flags.FLAGS)
    assert 'Traceback' not in said.getvalue()


FUZZERS = {'pictures': fuzz_pictures, 'configs': fuzz_configs,
           'command': fuzz_command}


@pytest.mark.slow
@pytest.mark.parametrize('name, least', [
    ('pictures', 1000), ('configs', 1000), ('command', 600)])
def test_nonsense_is_refused_in_words_or_read(name, least, tmp_path):
  deep = tmp_path / 'a' / 'b'  # For caches in '../..'.
  deep.mkdir(parents=True)
  found = subprocess.run(
      [sys.executable, '-X', 'faulthandler', __file__, name], cwd=deep,
      capture_output=True, text=True, errors='replace', timeout=300, env={
          **os.environ, 'PYTHONPATH': str(ROOT), 'HOME': str(deep),
          'XDG_CACHE_HOME': str(deep),
          # What would be fetched is not there, at once.
          'HTTPS_PROXY': 'http://127.0.0.1:9', 'HF_HUB_OFFLINE': '1'})
  assert found.returncode == 0, found.stderr[-5000:]
  report = json.loads(found.stdout.splitlines()[-1])
  print(name, report)
  assert report['examples'] >= least
  # Nearly all of one kind would say little.
  assert min(report['refused'], report['accepted']) >= .1 * least
  assert report['longest_s'] < SECONDS and report['peak_gb'] < GIGABYTES


if __name__ == '__main__':
  gc.set_threshold(50_000, 20, 50)  # As conftest.py has it.
  counted = Count()
  with tempfile.TemporaryDirectory() as scratch:
    FUZZERS[sys.argv[1]](pathlib.Path(scratch), counted)
  print(json.dumps(counted.report()))
