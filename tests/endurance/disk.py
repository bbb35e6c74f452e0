"""Fills the disk while a run does each of its works, and then gives it room.

The run has a small disk of its own in memory, or, where none may be mounted, a
limit on the size of its files. A full disk must be told in one text that names
a place and the room that is left, with an exit status of 1; once there is room,
the same command goes on. At the end all is equal, bit for bit, to a run that
always had room.
"""
import contextlib
import errno
import random
import re
import resource
import shutil
import subprocess
import time

from endurance import tiny_run

N = 60
EACH = 64  # Images between two checkpoints.
DISK = 16_000_000  # bytes
MOST = 220_000  # Bytes that are left, where a checkpoint takes 250,000.
COMMANDS = {
    'sample': ['--count=64', '--separate'], 'report': [],
    'evaluate': ['--metrics=swd'], 'timelapse': [],
    'walk': ['--seconds=1'], 'checkpoints': ['--copy_to=small/copy']}
TOLD = re.compile(
    r'^error: .*(there is no room left|not begun|a checkpoint takes|'
    r'larger than a file may be).* are free on that disk', re.MULTILINE)


def mounted(path):
  """Whether a small disk is there now."""
  path.mkdir(exist_ok=True)
  if path.is_mount():
    return True
  with contextlib.suppress(OSError):
    return not subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', f'size={DISK}', 'none', str(path)],
        stderr=subprocess.DEVNULL).returncode
  return False


def fill(path, left):
  """Writes a file until so many bytes are left."""
  with open(path / 'filler', 'ab') as file:
    try:
      while (free := shutil.disk_usage(path).free - left) > 0:
        file.write(bytes(min(free, 1 << 16)))
        file.flush()
    except OSError as error:
      if error.errno != errno.ENOSPC:
        raise


def complain(status, text, place):
  """What is wrong with the end of a start on a full disk, or ''."""
  if 'Traceback' in text:
    return 'a traceback'
  if status != 1:
    return f'exit status {status}'
  if not TOLD.search(text) or str(place) not in text:
    return f'an unclear text: {text[-500:]}'
  return ''


def try_training(out, total, after, left, is_disk):
  """Fills the disk of a run in training; (what is wrong, what it says).

  Args:
    out: the trial's folder.
    total: length of the run.
    after: images of a checkpoint that comes before, or None: before it starts,
      and its cache is empty.
    left: bytes that are left.
    is_disk: whether there is a disk to fill, and not only a limit.
  """
  run = out / 'small' / 'run'
  if after is None and is_disk:
    shutil.rmtree(out / 'small' / 'cache', ignore_errors=True)
    fill(out / 'small', left)
  # What it says goes into a pipe, which no limit holds up.
  process = subprocess.Popen(
      tiny_run.command(out / 'small', run, total), cwd=out, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      env=tiny_run.environment(out))
  try:
    if after is not None:
      tiny_run.wait_for_checkpoint(process, run / 'checkpoints', after)
    until = time.monotonic() + tiny_run.PATIENCE
    while is_disk and process.poll() is None and time.monotonic() < until:
      fill(out / 'small', left)  # Older checkpoints that go make room.
      time.sleep(.02)
    if not is_disk:
      limit = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
      resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (left, limit[1]))
    text, _ = process.communicate(timeout=tiny_run.PATIENCE)
  finally:
    process.kill()
    (out / 'small' / 'filler').unlink(missing_ok=True)
  told = TOLD.search(text)
  wrong = complain(process.returncode, text, out / 'small')
  if after is None and is_disk and 'does not take the decoded' not in text:
    wrong = wrong or 'no word of the cache'
  return wrong, told[0] if told else ''


def try_command(out, mode, left, is_disk):
  """Calls a command on a full disk; the same as of `try_training`."""
  more = COMMANDS[mode]
  command = [*tiny_run.command(out, out / 'small' / 'run')[:2],
             f'--mode={mode}', f'--workdir={out / "small" / "run"}', *more]
  if is_disk:
    fill(out / 'small', left)
  try:
    done = subprocess.run(
        command, cwd=out, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=tiny_run.environment(out),
        timeout=tiny_run.PATIENCE, preexec_fn=None if is_disk else (
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (left, left))))
  finally:
    (out / 'small' / 'filler').unlink(missing_ok=True)
  wrong = complain(done.returncode, done.stdout, out / 'small')
  told = TOLD.search(done.stdout)
  return wrong, told[0] if told else done.stdout[-200:]


def main(out, n, seconds, seed, table, say=print):
  """The whole of it; returns whether nothing was lost or told unclearly."""
  until = time.monotonic() + seconds
  total = EACH * max(2 * n, 16)
  tiny_run.prepare(out)
  tiny_run.to_the_end(out, 'unbroken', total)
  is_disk = mounted(out / 'small')
  tiny_run.prepare(out / 'small')
  run = out / 'small' / 'run'
  if is_disk and (out / 'kept').exists() and not run.exists():
    shutil.copytree(out / 'kept', run)  # That disk was lost with its machine.
  for number in range(len(table.cases), n):
    if time.monotonic() > until - 60:
      break
    rng = random.Random(f'{seed} {number}')
    # All of the commands come by; most tries are of training.
    modes = ['cache'] * is_disk + [*COMMANDS]
    what = modes[number // 4 % len(modes)] if number % 4 == 3 else 'train'
    left = rng.choice([0, rng.randrange(MOST)])
    if what == 'cache':
      wrong, text = try_training(out, total, None, 0, is_disk)
    elif what == 'train':
      after = total * (number + rng.random()) / (n + 2)
      wrong, text = try_training(out, total, after, left, is_disk)
    else:
      # Without room for 2 kB there is no temporary folder either.
      wrong, text = try_command(out, what, 0 if is_disk else 2000, is_disk)
    table.add(what=what, left=left, wrong=wrong, told=text)
    say(f'{number + 1:>4}  {what:<12}{left:>8,}  {wrong or text}')
    if is_disk:
      shutil.rmtree(out / 'kept', ignore_errors=True)
      shutil.copytree(run, out / 'kept')
  done, same = len(table.cases), 'not yet compared'
  if done >= n:
    subprocess.run(
        tiny_run.command(out / 'small', run, total), check=True, cwd=out,
        env=tiny_run.environment(out), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    lines = []
    tiny_run.compare(out / 'unbroken', run, lines.append)
    differ = [line for line in lines if 'DIFFERENT' in line and (
        not line.startswith('names'))]  # Commands have written there too.
    same = f'DIFFERENT: {differ}' if differ else 'identical'
    if is_disk:
      subprocess.run(['umount', str(out / 'small')], check=True)
  wrong = [case for case in table.cases if case['wrong']]
  say(table.write({
      'full disks': done, 'in training': sum(
          case['what'] == 'train' for case in table.cases),
      'by': 'a small disk' if is_disk else 'a limit on files',
      'told unclearly': len(wrong), 'result': same}))
  return not wrong and not same.startswith('DIFFERENT')
