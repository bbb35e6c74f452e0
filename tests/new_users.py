"""Plays five new users, and prints what each of them met.

  python tests/new_users.py [--here] [--who=hobbyist,scorer] [--folder=DIR]

A hobbyist with 300 pictures as they lie on a disk, a student who compares three
methods, a researcher with a loss and a φ of their own, a scorer with two
folders, and an operator, who trains in what the Dockerfile's steps make. They
work by the command line and the library as README and the guide say, in an
environment that is made for it and holds the package alone; --here takes this
interpreter and this checkout. Settings are tiny: it is about what people meet,
and not about pictures.

The exit status is 1 where something was not as the pages say.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from typing import NamedTuple

import container
from helpers import ROOT
import new_users_pictures as pictures
import numpy as np
from PIL import Image

PATIENCE = 400  # Seconds that a command may take.
SMALL = (
    '--config.data.resolution=16', '--config.networks.latent=16',
    '--config.networks.fmap_max=16', '--config.networks.fmap_base=64',
    '--config.train.batch=8', '--config.train.log_every_images=40',
    '--config.train.sample_every_images=400',
    '--config.train.checkpoint_every_images=200', '--config.evaluate.count=100')
METHODS = {  # Of the student, and the images of one step.
    'dcgan_cifar10': 128, 'wgan_gp_dcgan_cifar10': 320, 'sngan_cnn_cifar10': 64}
OWN = '''
"""A squared hinge, and a φ by which the picture scales the path."""
from jax import nn
from msg_gan_jax import LOSSES, PHI, Loss, Phi, template

print('own.py is run')


def steep_d(real, fake):
  r, f = real.logits, fake.logits
  return (nn.relu(1 - r)**2 + nn.relu(1 + f)**2).mean()


def steep_g(real, fake):
  del real
  return -fake.logits.mean()


def scaled(images, path, width, r):
  del width
  return (path * (1 + .1 * r(path.shape[-1])(images[0])),)


LOSSES['steep'] = Loss(steep_d, steep_g)
PHI['scaled'] = Phi(lambda width: width, scaled)


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 8
  config.data.count = 300
  config.data.held_out = 100
  config.networks.latent = 8
  config.networks.fmap_max = 8
  config.networks.phi = 'scaled'
  config.objective.loss = 'steep'
  config.objective.penalty = 'none'
  config.optimizer.name = 'adam'
  config.train.batch = 8
  config.train.total_images = 400
  config.train.log_every_images = 80
  config.train.checkpoint_every_images = 200
  return config
'''


class Row(NamedTuple):
  """What a user met in one step."""
  user: str
  step: str
  exit: int | str
  seconds: float
  why: str  # '' where all was as it should be.


class User:
  """Somebody at a terminal, in a folder of their own.

  Args:
    name: who it is.
    folder: where they work.
    python: the interpreter that has the package, or finds it by `env`.
    tree: the checkout.
    env: of what they start.
  """

  def __init__(self, name, folder, python, tree, env):
    self.name, self.rows = name, []
    self.folder = folder / name
    self.folder.mkdir(parents=True)
    self._python, self._tree, self._env = python, tree, env

  def does(self, step, *command, exits=0, says=(), never=(), makes=(),
           stop_when=None):
    """Gives a command, and looks at what came of it.

    Args:
      step: what it is about.
      command: 'launch.py', 'msg_gan_jax' or a file, and arguments.
      exits: the exit status that it should have.
      says: patterns that its output should have.
      never: patterns that it should not have.
      makes: files that should be there then, below the folder.
      stop_when: a file; Ctrl-C is pressed once it has a line.

    Returns:
      (standard output, standard error).
    """
    program, *arguments = command
    lead = {'launch.py': [self._tree / 'launch.py'],
            'msg_gan_jax': ['-m', 'msg_gan_jax']}.get(program, [program])
    start = time.monotonic()
    # A shell's background jobs ignore Ctrl-C, and so would their children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [self._python, *lead, *arguments], cwd=self.folder, env=self._env,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding='utf-8', errors='replace')
    signal.signal(signal.SIGINT, before)
    if stop_when:
      while (process.poll() is None and not has_content(self.folder / stop_when)
             and time.monotonic() - start < PATIENCE):
        time.sleep(.05)
      process.send_signal(signal.SIGINT)
    try:
      out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
      process.kill()
      out, err = process.communicate()
    both = f'{out}\n{err}'
    (self.folder / f'{len(self.rows):02} {step.replace("/", "-")}.log'
     ).write_text(f'{lead} {arguments}\n{both}', encoding='utf-8')
    wrong = []
    if process.returncode != exits:
      told = [line for line in err.splitlines() if 'error' in line.lower()]
      wrong.append(f'wanted exit {exits}: {(told or err.split(chr(10)))[-1]}')
    wrong += [f'does not say {x!r}' for x in says if not re.search(
        x, both, re.IGNORECASE)]
    wrong += [f'says {x!r}' for x in (*never, 'Traceback', r'\x1b\]')
              if re.search(x, both)]
    wrong += [f'no {x}' for x in makes if not [*self.folder.glob(x)]]
    self.notes(step, wrong, process.returncode, time.monotonic() - start)
    return out, err

  def finds(self, step, **facts):
    """Looks at something; facts are {what: whether it is so}."""
    self.notes(step, [f'not so: {x}' for x, holds in facts.items()
                      if not holds])

  def notes(self, step, wrong, status='', seconds=0.):
    """Adds a row, and prints it."""
    row = Row(self.name, step, status, seconds, '; '.join(wrong))
    self.rows.append(row)
    print(f'{row.user:<11}{row.step:<34}{row.exit!s:>5}{row.seconds:>8.1f}  '
          f'{row.why or "ok"}', flush=True)


def has_content(path):
  return path.is_file() and path.stat().st_size > 0


def lines_of(path):
  """Records of a file of JSON lines; [] where there is none."""
  return [json.loads(line) for line in path.read_text().splitlines()
          ] if path.exists() else []


def newest(run):
  """Images of the newest checkpoint of a run, 0 of none."""
  return max((int(x.name) for x in run.glob('checkpoints/*')
              if x.name.isdigit()), default=0)


def hobbyist(user):
  """300 pictures of all kinds, loose and in folders, and files that are none.

  They look, train, are called away, go on, and want pictures.
  """
  photos = user.folder / 'photos'
  pictures.write_folder(
      photos, 300, places=('', '', 'beach', 'dogs', 'old/scans'))
  pictures.write_what_is_no_picture(photos)
  own = ('--config=own_pictures', '--config.data.path=photos')
  user.does('what there is: --help', 'msg_gan_jax', '--help',
            says=['own_pictures', '--mode'])
  user.does('half a name', 'launch.py', '--config=own', exits=1,
            says=['own_pictures'])
  out, _ = user.does('inspect', 'launch.py', '--mode=inspect', *own,
                     says=['broken.jpg', 'held out'])
  found = re.search(r'([\d,]+) to train on, ([\d,]+) held out', out)
  user.finds('what was found', all_300=bool(found) and sum(
      map(int, found.groups())) == 300)
  user.does('dry run, Ctrl-C as it compiles', 'launch.py', *own, '--dry_run',
            exits=130, says=['parameters', 'pictures to train on'],
            stop_when='runs/own_pictures.contact_sheet.png')
  user.does('dry run of less', 'launch.py', *own, *SMALL, '--dry_run',
            says=['at the peak'])
  run = user.folder / 'runs/photos'
  train = ('launch.py', *own, *SMALL, '--workdir=runs/photos')
  user.does('train, Ctrl-C', *train, exits=130, says=['stopped and saved'],
            stop_when='runs/photos/metrics.jsonl',
            makes=['runs/photos/checkpoints/*', 'runs/photos/samples/*.png'])
  before = newest(run)
  total = before + 400
  user.does('go on, to the end', *train, f'--config.train.total_images={total}',
            says=[f'continuing after {before:,}'],
            makes=['runs/photos/summary.json', 'runs/photos/curves.png'])
  images = [x['images'] for x in lines_of(run / 'metrics.jsonl')]
  user.finds('its records', in_order=images == sorted({*images}),
             to_the_end=bool(images) and images[-1] >= total)
  of = '--workdir=runs/photos'
  user.does('sample', 'msg_gan_jax', '--mode=sample', of, '--count=9',
            '--separate', '--scales', makes=['runs/photos/samples_0/*.png'])
  user.does('walk', 'msg_gan_jax', '--mode=walk', of, '--seconds=1',
            '--out=walk.webp', makes=['walk.webp'])
  user.does('evaluate', 'launch.py', '--mode=evaluate', of,
            says=['reals'], makes=['runs/photos/scores.jsonl'])
  few = user.folder / 'few'
  pictures.write_folder(few, 41, seed=1)
  user.does('a folder of 41', 'launch.py', '--config=own_pictures',
            '--config.data.path=few', *SMALL, '--config.train.total_images=80',
            '--workdir=runs/few', makes=['runs/few/samples/*.png'])
  user.does('sample of it', 'launch.py', '--mode=sample',
            '--workdir=runs/few', '--count=4')


def student(user):
  """Three methods, two seeds each, on one set; then one thing turned off."""
  data = ('--config.data.name=folder', '--config.data.path=set',
          '--config.data.resolution=32', '--config.networks.fmap_max=16',
          '--config.evaluate.count=100')
  pictures.write_folder(user.folder / 'set', 240, places='abc',
                        kinds=(('.png', 'RGB'),), sizes=(32, 48))
  runs = []
  for method, step in METHODS.items():
    for seed in range(2):
      name = f'runs/{method}_{seed}'
      user.does(
          f'{method}, seed {seed}', 'launch.py', f'--config={method}', *data,
          f'--config.seed={seed}', f'--workdir={name}',
          f'--config.train.total_images={2 * step}',
          f'--config.train.log_every_images={step}',
          f'--config.train.measure_every_images={step}',
          makes=[f'{name}/curves.png', f'{name}/best/*'])
      runs.append(name)
  out, _ = user.does(
      'all six, side by side', 'launch.py', '--mode=evaluate',
      f'--workdir={",".join(runs)}', '--checkpoints=best',
      '--metrics=swd,precision_recall', '--features=random_conv',
      says=['precision', 'differ: '])
  user.finds('its table', names_each=all(
      re.search(pathlib.Path(name).name, out) for name in runs))
  user.does('two seeds of one', 'launch.py', '--mode=evaluate',
            f'--workdir={runs[0]},{runs[1]}', '--metrics=swd',
            says=['mean of 2 runs'])
  user.does('best of one, sampled', 'launch.py', '--mode=sample',
            f'--workdir={runs[0]}', '--checkpoints=best', '--count=4')
  ada = ('launch.py', '--config=stylegan2_ada_cifar10', *data,
         '--config.networks.latent=16', '--config.objective.augment=none')
  user.does('without augmentation', *ada, '--workdir=runs/plain', '--dry_run',
            says=['augment'])
  user.does('... and what is nonsense', *ada,
            '--config.objective.augment_target=.5', '--workdir=runs/x', exits=1,
            says=['augment_target'])


def researcher(user):
  """An own loss and φ; looks into the run; and a disk that lost a few bytes."""
  (user.folder / 'own.py').write_text(OWN.lstrip(), encoding='utf-8')
  run = user.folder / 'runs/own'
  out, err = user.does('train', 'launch.py', '--config=own.py',
                       '--workdir=runs/own', makes=['runs/own/curves.png'])
  user.finds('its file runs once', so=f'{out}{err}'.count('own.py is run') == 1)
  of = '--workdir=runs/own'
  user.does('sample', 'launch.py', '--mode=sample', of, '--count=4')
  user.does('walk', 'launch.py', '--mode=walk', of, '--seconds=1',
            '--out=walk.gif', makes=['walk.gif'])
  user.does('evaluate', 'launch.py', '--mode=evaluate', of, '--metrics=swd',
            says=['swd mean'])
  user.does('go on by the folder alone', 'launch.py', of,
            '--config.train.total_images=480', says=['continuing after 400'])
  scripts = {
      'load': '''
          from msg_gan_jax import load
          import jax
          run = load('runs/own', which='best')
          z = run.gan.draw(jax.random.key(0), 2)
          print([x.shape for x in run.gan.sample(run.state, z)])
          print(load('runs/own').config.objective.loss)
      ''',
      'read': '''
          from msg_gan_jax import read
          run = read('runs/own')
          print(run.records['images'][-1], run.records['d_loss'].dtype)
      ''',
      'writer': '''
          from msg_gan_jax import Writer, parse, template, train

          class Prints(Writer):
            def write(self, images, values, clock=None):
              print(images, 'swd_mean' in values)

          config = template('msg_progan')
          config.data.update(resolution=16, count=64, held_out=128)
          config.networks.update(latent=8, fmap_max=8)
          config.train.update(batch=8, total_images=32, log_every_images=16)
          train(parse(config), 'runs/written', writers=[Prints()])
      '''}
  wanted = {'load': [r'\(2, 4, 4, 3\), \(2, 8, 8, 3\)', 'steep'],
            'read': ['480', 'float64'], 'writer': ['16 False', '32 True']}
  for name, text in scripts.items():
    (user.folder / f'{name}_it.py').write_text(textwrap.dedent(text))
    user.does(f'in Python: {name}', f'{name}_it.py', says=wanted[name])
  last = newest(run)
  files = [x for x in (run / 'checkpoints' / str(last)).rglob('*')
           if x.is_file()]
  if files:
    largest = max(files, key=lambda x: x.stat().st_size)
    content = bytearray(largest.read_bytes())
    middle = len(content) // 2
    content[middle:middle + 64] = bytes(x ^ 255 for x in content[
        middle:middle + 64])
    largest.write_bytes(content)
  earlier = r'\b400\b'
  user.does('damaged: sample', 'launch.py', '--mode=sample', of, '--count=4',
            '--out=after', says=['warning', earlier], makes=['after/*.png'])
  user.does('damaged: evaluate', 'launch.py', '--mode=evaluate', of,
            '--metrics=swd', says=['warning', earlier])
  user.does('damaged: go on', 'launch.py', of, says=[
      'warning', 'continuing after 400'])


def scorer(user):
  """Two folders of pictures, and an archive of samples; no GAN anywhere."""
  kinds = (('.png', 'RGB'), ('.jpg', 'RGB'), ('.png', 'L'))
  pictures.write_folder(user.folder / 'real', 120, kinds=kinds)
  pictures.write_folder(user.folder / 'fake', 100, seed=7, kinds=kinds)
  pair = ('--real=real', '--fake=fake')
  evaluate = ('launch.py', '--mode=evaluate')
  user.does('mixed sizes, no download', *evaluate, *pair, exits=1,
            says=['--resolution'])
  user.does('... as it is advised', *evaluate, *pair, '--resolution=32',
            says=['reals', '120'])
  out, _ = user.does(
      '... as it is advised, --json', *evaluate, *pair, '--metrics=swd',
      '--resolution=32', '--json')
  scores = [json.loads(line) for line in out.splitlines() if line[:1] == '{']
  user.finds('its records', json_alone=bool(scores) and all(
      line[:1] == '{' for line in out.splitlines()), has_a_score=any(
          'swd' in json.dumps(x) for x in scores))
  rng = np.random.default_rng(3)
  np.savez(user.folder / 'samples.npz', np.stack([
      pictures.disc(rng, 32, 32) for _ in range(100)]))
  user.does('samples.npz', *evaluate, '--real=real', '--fake=samples.npz',
            '--metrics=ms_ssim,swd', '--resolution=32', says=['MS-SSIM'])
  (user.folder / 'taken').write_text('a file, where a folder is asked for')
  user.does('scores that cannot be written', *evaluate, *pair,
            '--metrics=swd', '--resolution=32', '--out=taken', exits=1,
            says=['taken'], never=[r'\d+ samples against'])
  user.does('a folder that is not there', *evaluate, '--real=reel',
            '--fake=fake', exits=1, says=['real'])
  Image.fromarray(np.zeros((8, 8), np.float32)).save(
      user.folder / 'fake' / 'depth.tif')
  user.does('a TIFF of floats', *evaluate, *pair, '--metrics=swd',
            '--resolution=32', exits=1, says=['depth.tif'],
            never=['config.data.on_bad'])


def operator(user):
  """Carries out the Dockerfile's steps, and trains in what they make."""
  image = container.build(user.folder / 'image')
  user.finds('the image', starts=image.entrypoint == [
      'python', '-m', 'msg_gan_jax'], has_no_tests=not (
          image.work / 'tests').exists())
  inside = User('inside', image.work, image.python, image.work, image.env)
  (inside.folder / 'mine.py').write_text(OWN.lstrip(), encoding='utf-8')
  train = ('msg_gan_jax', '--config=mine.py', '--workdir=runs/a')
  inside.does('train in it, Ctrl-C', *train, exits=130,
              says=['stopped and saved'], stop_when='runs/a/metrics.jsonl')
  inside.does('the same line goes on', *train, says=['continuing after'],
              makes=['runs/a/curves.png'])
  user.finds('its cache', lies_in_work=(image.work / '.cache').is_dir())
  user.rows += inside.rows


USERS = {x.__name__: x for x in (
    hobbyist, student, researcher, scorer, operator)}


def environment(folder):
  """(python, checkout) of a fresh clone in a fresh environment; with rows."""
  user = User('all', folder, sys.executable, ROOT, {**os.environ})
  tree, python = folder / 'clone', folder / 'venv' / 'bin' / 'python'
  for step, command in (
      ('clone', ['git', 'clone', '--quiet', str(ROOT), str(tree)]),
      ('python3 -m venv', [sys.executable, '-m', 'venv', folder / 'venv']),
      ('pip install .', [python, '-m', 'pip', 'install', '--quiet', str(tree)])
  ):
    start = time.monotonic()
    done = subprocess.run(command, text=True, capture_output=True)
    wrong = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    user.notes(step, wrong, done.returncode, time.monotonic() - start)
  return python, tree, user.rows


def main(who, here=False, folder=None):
  """Plays them; returns whether all was as it should be."""
  with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(folder or made).resolve()
    env = {**os.environ, 'XDG_CACHE_HOME': str(folder / 'cache')}
    env.pop('JAX_COMPILATION_CACHE_DIR', None)
    python, tree, rows = sys.executable, ROOT, []
    if here:
      env['PYTHONPATH'] = str(ROOT)
    else:
      env.pop('PYTHONPATH', None)
      python, tree, rows = environment(folder)
    for name in who:
      user = User(name, folder, python, tree, env)
      USERS[name](user)
      rows += user.rows
  wrong = [row for row in rows if row.why]
  print(f'{len(rows)} steps in {sum(row.seconds for row in rows):.0f} s, '
        f'{len(wrong)} not as they should be')
  return not wrong


if __name__ == '__main__':
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--here', action='store_true',
                      help='this interpreter and this checkout')
  parser.add_argument('--who', default=','.join(USERS))
  parser.add_argument('--folder', help='kept; a temporary one if not given')
  chosen = parser.parse_args()
  sys.exit(not main(chosen.who.split(','), chosen.here, chosen.folder))
