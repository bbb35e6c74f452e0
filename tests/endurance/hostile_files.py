"""What a hostile folder holds, and the commands that read it."""
import io
import json
import os
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib

from helpers import ROOT
import numpy as np
from PIL import Image

EARLIER = ROOT / 'tests' / 'runs' / 'earlier'
# The end of a line, codes of a terminal (a title, a colour), and one of 8 bits.
WORDS = 'two\nlines\r\x1b[31m\x1b]0;owned\x07\x9b31m\u202e'
# Where members of archives with such names would lie.
ELSEWHERE = tuple(os.path.join(tempfile.gettempdir(), f'hostile_{kind}.png')
                  for kind in ('zip', 'tar'))
CONFIG = '''from msg_gan_jax.config import template


def get_config():
  config = template()
  config.data.update(resolution=8, held_out=0, path='set', name={name!r})
  config.networks.update(latent=8, fmap_max=8, fmap_base=64)
  config.train.update(batch=8, total_images=8)
  return config
'''


def picture(path, seed=0):
  Image.fromarray(np.random.default_rng(seed).integers(
      0, 256, (8, 8, 3), np.uint8)).save(path)


def png(seed=0):
  file = io.BytesIO()
  picture_of = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
  Image.fromarray(picture_of).save(file, 'PNG')
  return file.getvalue()


def bomb(side):
  """A PNG of zeros, side by side pixels, of some kilobytes."""
  rows = zlib.compressobj(9)
  row = bytes(1 + 3 * side)
  body = b''.join([*(rows.compress(row) for _ in range(side)), rows.flush()])
  header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
  return b'\x89PNG\r\n\x1a\n' + b''.join(
      struct.pack('>I', len(x)) + kind + x + struct.pack(
          '>I', zlib.crc32(kind + x))
      for kind, x in ((b'IHDR', header), (b'IDAT', body), (b'IEND', b'')))


def config(place, name='folder'):
  (place.work / 'small.py').write_text(CONFIG.format(name=name))


# Data.


def data(place, bad=True):
  """A folder of pictures with links to everywhere, odd names and bombs."""
  config(place)
  root = place.work / 'set'
  for kind in ('cat', f'dog {WORDS}'):
    (root / kind).mkdir(parents=True)
    for i in range(6):
      picture(root / kind / f'{i} {WORDS}.png', i)
  for name, target in {
      'etc': '/etc', 'all': '/', 'passwd.png': '/etc/passwd',
      'endless.png': '/dev/zero', 'up': '..', 'self': 'self',
      'other.png': '../../outside/private.png'}.items():
    (root / name).symlink_to(target)
  os.mkfifo(root / 'pipe.png')
  if bad:
    (root / 'cat' / f'broken {WORDS}.png').write_bytes(place.pickled())
    (root / 'cat' / 'bomb.png').write_bytes(bomb(9000))
    (root / 'cat' / 'large.png').write_bytes(bomb(9000)[:60])


def labelled(place):
  """Labels with odd names, and in brackets without end."""
  data(place, bad=False)
  (place.work / 'set' / 'dataset.json').write_text(
      json.dumps({'labels': [[f'cat/{WORDS}.png', WORDS]]})
      + '[' * 100_000)


def archived(place, kind):
  """An archive with members that lead elsewhere, links and a bomb."""
  config(place, 'archive')
  path = place.work / 'set'
  names = ['../../outside/evil.png', '/etc/evil.png', f'cat/{WORDS}.png',
           f'{ELSEWHERE[kind != "zip"]}', 'C:\\evil.png', 'cat/../../x.png']
  files = {name: png(i) for i, name in enumerate(names)}
  files |= {f'cat/{i}.png': png(i) for i in range(9)}
  files['cat/bomb.png'] = bytes(600_000_000 if kind == 'zip' else 1_000_000)
  files['run.pkl'] = place.pickled()
  if kind == 'zip':
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as opened:
      for name, content in files.items():
        opened.writestr(name, content)
      link = zipfile.ZipInfo('cat/link.png')
      link.create_system, link.external_attr = 3, 0o120777 << 16
      opened.writestr(link, '../../outside/private.png')
    return
  with tarfile.open(path, {'tar': 'w', 'tgz': 'w:gz'}[kind]) as opened:
    for name, content in files.items():
      info = tarfile.TarInfo(name)
      info.size = len(content)
      opened.addfile(info, io.BytesIO(content))
    for name, (what, target) in {
        'cat/sym.png': (tarfile.SYMTYPE, '../../outside/private.png'),
        'cat/abs.png': (tarfile.SYMTYPE, '/etc/passwd'),
        'cat/hard.png': (tarfile.LNKTYPE, '../outside/precious'),
        'cat/device.png': (tarfile.CHRTYPE, ''),
        'cat/pipe.png': (tarfile.FIFOTYPE, '')}.items():
      info = tarfile.TarInfo(name)
      info.type, info.linkname = what, target
      opened.addfile(info)


def bombed(place):
  """A compressed tar of nothing but zeros, 2 GB of them."""
  config(place, 'archive')
  with tarfile.open(place.work / 'set', 'w:gz', compresslevel=1) as opened:
    info = tarfile.TarInfo('cat/zeros.png')
    info.size = 900_000_000
    for _ in range(2):
      opened.addfile(info, open('/dev/zero', 'rb'))  # noqa: SIM115


def zeros(place):
  """Six megabytes that say they are six gigabytes of pictures."""
  config(place, 'archive')
  head = io.BytesIO()
  np.lib.format.write_array_header_1_0(head, {
      'descr': '|u1', 'fortran_order': False,
      'shape': (2_000_000, 32, 32, 3)})
  with zipfile.ZipFile(place.work / 'set', 'w', zipfile.ZIP_DEFLATED,
                       compresslevel=1) as opened:
    with opened.open('images.npy', 'w', force_zip64=True) as file:
      file.write(head.getvalue())
      for _ in range(6144):
        file.write(bytes(1_000_000))


def objects(place):
  """An .npz whose array is a pickle."""
  config(place, 'archive')
  with zipfile.ZipFile(place.work / 'set', 'w') as opened:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {
        'descr': '|O', 'fortran_order': False, 'shape': (4,)})
    opened.writestr('images.npy', head.getvalue() + place.pickled())


# Runs.


def a_run(place):
  """A run whose words are hostile, and whose parts lead elsewhere."""
  run = shutil.copytree(EARLIER / 'written', place.work / 'run')
  for name in ('checkpoints', 'best'):
    shutil.rmtree(run / name)
  shutil.copytree(EARLIER / 'ada' / 'checkpoints', run / 'checkpoints')
  shutil.copy(EARLIER / 'ada' / 'config.json', run)
  edit(run / 'config.json', lambda x: x | {
      'data': x['data'] | {'path': '', 'label': ''}})
  edit(run / 'versions.json', lambda starts: [
      x | {'msg_gan_jax': WORDS, 'commit': WORDS, 'date': WORDS,
           'devices': WORDS} for x in starts])
  (run / 'classes.json').write_text(json.dumps([WORDS, WORDS]))
  for name in ('warnings', 'changes'):
    with open(run / f'{name}.jsonl', 'a') as file:
      file.write(json.dumps({'images': 8, 'text': WORDS, 'date': WORDS,
                             'changed': [WORDS]}) + '\n')
  with open(run / 'metrics.jsonl', 'a') as file:
    file.write(json.dumps({'images': 80, WORDS: 1., 'd_loss': 1.}) + '\n')
    file.write(WORDS + '\n')
  (run / 'samples').mkdir(exist_ok=True)
  for name, target in {
      'images_000000064.png': '../../../outside/private.png',
      'images_000000072.png': '/dev/zero',
      'images_000000080.png': '/etc/passwd'}.items():
    (run / 'samples' / name).unlink(missing_ok=True)
    (run / 'samples' / name).symlink_to(target)
  (run / 'samples' / 'images_000000088.png').write_bytes(bomb(9000))
  (run / f'walk_{WORDS}.webp').write_bytes(place.pickled())
  (run / 'experiment.py').write_text(
      f'open({str(place.ran)!r}, "w")\ndef get_config(): pass\n')
  return run


def edit(path, change):
  path.write_text(json.dumps(change(json.loads(path.read_text()))))


def with_code(place):
  """Settings that want a row which the run's own file would have."""
  run = a_run(place)
  edit(run / 'config.json', lambda x: x | {
      'networks': x['networks'] | {'phi': 'mine'}})
  return run


def with_links(place):
  """Files that a command appends to, and folders that it fills, elsewhere."""
  run = a_run(place)
  for name in ('changes.jsonl', 'scores.jsonl', 'warnings.jsonl', '.lock',
               'metrics.jsonl.damaged', 'summary.json'):
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(place.outside / 'precious')
  for name in ('look', 'samples_0', 'curves.png', 'best'):
    (run / name).symlink_to(place.outside)
  (run / 'walk_0.webp').unlink()
  (run / 'walk_0.webp').symlink_to(place.outside / 'precious')
  return run


def with_pipes(place):
  """Files that wait for ever, and that never end."""
  run = a_run(place)
  for name in ('.lock', 'scores.jsonl', 'summary.json', 'classes.json'):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
  for name in ('changes.jsonl', 'warnings.jsonl'):
    os.truncate(run / name, 50_000_000_000)
  return run


def with_checkpoint(place):
  """A checkpoint whose arrays and notes are others."""
  run = a_run(place)
  state = run / 'checkpoints' / '80'
  edit(state / 'record' / 'metadata', lambda x: x | {
      'format': 1, 'notes': {WORDS: WORDS}, 'images': 2**70})
  for file in state.rglob('d/*'):
    file.write_bytes(place.pickled())
  edit(state / 'state' / '_METADATA', lambda x: x | {WORDS: [2**60] * 9})
  return run


def with_shapes(place):
  """A checkpoint that says its arrays are of petabytes."""
  run = a_run(place)
  state = run / 'checkpoints' / '80' / 'state'
  text = (state / '_METADATA').read_text()
  (state / '_METADATA').write_text(text.replace(
      '"write_shape": [', '"write_shape": [1125899906842624, '))
  for file in (state / 'array_metadatas').iterdir():
    file.write_text('[' * 200_000)
  return run


def study(place):
  """A study whose journal has hostile words, and its runs too."""
  folder = place.work / 'study'
  (folder / 'runs').mkdir(parents=True)
  log = (ROOT / 'docs' / 'studies' / 'records'
         / 'landscape_small.log').read_text().splitlines()
  (folder / 'journal.log').write_text('\n'.join(
      line.replace('hinge', 'hinge' + json.dumps(WORDS)[1:-1])
      for line in log) + '\n')
  shutil.move(a_run(place), folder / 'runs' / WORDS)


def caches(place):
  """A cache folder that all may write, with programs and a key in it."""
  data(place, bad=False)
  place.own_programs = True
  folder = place.folder / 'home' / 'msg_gan_jax'
  (folder / 'xla').mkdir(parents=True)
  for path in (folder, folder / 'xla'):
    path.chmod(0o777)
  (folder / 'xla' / 'jit_step-cache').write_bytes(place.pickled())
  (folder / 'key_of_runs').symlink_to(place.outside / 'precious')


def files(place):
  """Weights, latents and moments that are pickles."""
  a_run(place)
  for name in ('w.pth', 'z.npy', 'm.npz'):
    (place.work / name).write_bytes(place.pickled())
  config(place, 'archive')
  with zipfile.ZipFile(place.work / 'zip.pth', 'w') as opened:
    opened.writestr('archive/data.pkl', place.pickled())


TRAIN = ['--mode=train', '--config=small.py', '--workdir=new']
INSPECT = ['--mode=inspect', '--config=small.py']
SKIP = [*INSPECT, '--config.data.on_bad=skip']
FAKE = ['--mode=evaluate', '--fake=set', '--real=set', '--metrics=fid',
        '--protocol=local', '--features=pixels', '--resolution=8']
RUN = {mode: [f'--mode={mode}', '--workdir=run'] for mode in (
    'train', 'sample', 'evaluate', 'walk', 'timelapse', 'look', 'report',
    'truncate', 'mix', 'compare')}
RUN['sample'] += ['--count=4']
RUN['walk'] += ['--seconds=1', '--fps=2']
RUN['evaluate'] += ['--protocol=local', '--features=pixels', '--count=4',
                    '--metrics=fid']
RUN['compare'] = ['--mode=compare', '--workdir=run,run', '--out=out']
ALL = list(RUN.values())


def some(*modes):
  return [RUN[mode] for mode in modes]


# {what it is: (what fills the place, the commands that read it)}
HARMS = {
    'a folder': (data, [INSPECT, SKIP, TRAIN, FAKE]),
    'a folder without broken files': (
        lambda place: data(place, bad=False), [INSPECT, TRAIN, FAKE]),
    'labels': (labelled, [INSPECT, TRAIN]),
    **{f'a {kind}': (lambda place, kind=kind: archived(place, kind),
                     [INSPECT, SKIP, TRAIN, FAKE])
       for kind in ('zip', 'tar', 'tgz')},
    'a tar of zeros': (bombed, [INSPECT, TRAIN]),
    'an npz of zeros': (zeros, [INSPECT, TRAIN, FAKE]),
    'an npz of objects': (objects, [INSPECT, TRAIN, FAKE]),
    'a run': (a_run, ALL),
    'a run with code': (with_code, ALL),
    'a run with links': (with_links, some(
        'train', 'evaluate', 'report', 'sample', 'look', 'walk')),
    'a run with pipes': (with_pipes, some(
        'train', 'evaluate', 'report', 'sample')),
    'a run with another checkpoint': (with_checkpoint, some(
        'train', 'sample', 'evaluate')),
    'a run with petabytes': (with_shapes, some('train', 'sample')),
    'a study': (study, [['--mode=study_status', '--workdir=study'],
                        ['--mode=study_analyse', '--workdir=study'],
                        ['--mode=report', '--workdir=study']]),
    'caches': (caches, [INSPECT, TRAIN]),
    'files': (files, [
        ['--mode=sample', '--workdir=run', '--z_file=z.npy'],
        ['--mode=evaluate', '--real=m.npz', '--workdir=run'],
        *([*RUN['evaluate'], '--features=inception', f'--weights_file={name}']
          for name in ('w.pth', 'zip.pth')),
        ['--mode=project', '--workdir=run', '--pictures=w.pth,z.npy']]),
}
