"""Damages files of a run at random, and starts it again.

Each time it must end with the state of the whole run, bit for bit, after a line
about what was not whole where that mattered, or refuse in words that name the
place. Nothing else may come out, and no traceback.
"""
import random
import shutil
import subprocess
import time

from endurance import tiny_run

N = 200
TOTAL = 384
THROUGH_LAUNCH = 10  # Every so many-th starts as a person does.
# What is damaged, each as often as the others -> names below the trial's
# folder. Of best and of the newest checkpoint there are many files.
PARTS = {
    'newest checkpoint': f'case/checkpoints/{TOTAL}/**/*',
    'older checkpoint': 'case/checkpoints/[!d]*/**/*', 'best': 'case/best/**/*',
    'records': 'case/metrics.jsonl', 'config': 'case/config.json',
    'cache': 'cache/*', 'samples': 'case/samples/*',
    'versions': 'case/versions.json', 'summary': 'case/summary.json',
    'other': 'case/*.*'}


def _flip(data, rng):
  for _ in range(rng.choice((1, 1, 3))):
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut(data, rng):
  del data[rng.randrange(len(data)):]


def damage(out, part, rng):
  """Damages a file, or deletes it; returns (its name, what was done)."""
  files = sorted(x for x in out.glob(PARTS[part]) if x.is_file())
  file = rng.choice(files)
  data = bytearray(file.read_bytes())
  how = rng.choice(['flipped', 'cut', 'deleted'] if data else ['deleted'])
  if how == 'deleted':
    file.unlink()
  else:
    {'flipped': _flip, 'cut': _cut}[how](data, rng)
    file.write_bytes(data)
  return str(file.relative_to(out)), how


def start_in_process(out, config):
  """(lines that were said, an error or None) of a start of the run."""
  from unittest import mock

  from msg_gan_jax.files import console
  from msg_gan_jax.report import curves
  from msg_gan_jax.runs import load, read
  from msg_gan_jax.training import kept, loop
  said = []
  with mock.patch.object(console, 'say_aside', said.append), mock.patch.object(
      curves, 'plot'):
    try:
      loop.train(config, out / 'case', said.append, make=kept.gan_of)
      load.load(out / 'case', 'newest', said.append)
      read.read(out / 'case')
    except (ValueError, OSError) as error:
      return said, str(error)
  return said, None


def start_by_launch(out):
  """The same, through launch.py."""
  done = subprocess.run(
      tiny_run.command(out, 'case', TOTAL), cwd=out, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      env=tiny_run.environment(out), timeout=tiny_run.PATIENCE)
  said = done.stdout.splitlines()
  if 'Traceback' in done.stdout or done.returncode not in (0, 1):
    return said, f'exit status {done.returncode}: a traceback'
  errors = [x for x in said if x.startswith('error: ')]
  return said, '\n'.join(errors) if done.returncode else None


def judge(out, good, said, error):
  """'as whole', 'mended' or 'refused', or what is wrong in capitals."""
  if error is not None:
    named = str(out) in error or 'config.' in error or 'case/' in error
    return 'refused' if named else f'UNCLEAR: {error}'
  for folder, wanted in good.items():
    try:
      found = tiny_run.final(out / 'case', folder)
    except ValueError as other:  # The best is read by who asks for it.
      return judge(out, good, said, str(other))
    if found['fingerprint'] != wanted['fingerprint']:
      return f'WRONG STATE: {found["images"]} of {folder}'
  told = any('damaged' in x or 'changed: ' in x or 'warning: ' in x or
             'made anew' in x or 'continuing' in x for x in said)
  return 'mended' if told else 'as whole'


def make(out, config):
  """The whole run, and a copy of it; made once."""
  from unittest import mock

  from msg_gan_jax.report import curves
  from msg_gan_jax.training import kept, loop
  tiny_run.prepare(out, 48)
  if not (out / 'whole').exists():
    for name in 'case', 'cache', 'half':
      shutil.rmtree(out / name, ignore_errors=True)
    with mock.patch.object(curves, 'plot'):
      loop.train(config, out / 'case', lambda line: None, make=kept.gan_of)
    for name in 'case', 'cache':
      shutil.copytree(out / name, out / 'half' / name)
    (out / 'half').rename(out / 'whole')
  return {folder: tiny_run.final(out / 'whole' / 'case', folder)
          for folder in ('checkpoints', 'best')}


def main(out, n, seconds, seed, table, say=print):
  """The whole of it; returns whether nothing wrong came out."""
  until = time.monotonic() + seconds
  config = tiny_run.config(out, TOTAL)
  good = make(out, config)
  parts = [*PARTS]
  for number in range(len(table.cases), n):
    if time.monotonic() > until - 30:
      break
    rng = random.Random(f'{seed} {number}')
    for name in 'case', 'cache':
      shutil.rmtree(out / name, ignore_errors=True)
      shutil.copytree(out / 'whole' / name, out / name)
    # 7 and 10 have no common part: each part goes through launch.py too.
    file, how = damage(out, parts[7 * number % len(parts)], rng)
    launched = number % THROUGH_LAUNCH == THROUGH_LAUNCH - 1
    said, error = start_by_launch(out) if launched else (
        start_in_process(out, config))
    came = judge(out, good, said, error)
    table.add(file=file, how=how, launched=launched, came=came)
    say(f'{number + 1:>4}  {how:<8} {came}  {file}'
        + (f': {error}' if error else ''))
  kinds = [case['came'].partition(':')[0] for case in table.cases]
  wrong = [kind for kind in kinds if kind.isupper()]
  say(table.write({
      'damages': len(kinds), 'through launch.py': sum(
          case['launched'] for case in table.cases),
      **{kind: kinds.count(kind) for kind in (
          'as whole', 'mended', 'refused')}, 'anything else': len(wrong)}))
  return not wrong
