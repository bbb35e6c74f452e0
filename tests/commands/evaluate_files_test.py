"""--mode=evaluate of folders as they come: their sizes, and mu and sigma."""
import errno
import json
import os
import shutil

import helpers
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics import evaluate, text
from msg_gan_jax.runs import checkpoints, workdir

pytestmark = pytest.mark.slow
WAY = '--mode=evaluate', '--protocol=local', '--features=pixels'


@pytest.fixture
def folders(tmp_path):
  """Two folders, a and b, of pictures of two sizes; and a run of 8 px."""
  for i in range(12):
    helpers.save(tmp_path / 'ab'[i % 2] / f'{i}.png',
                 helpers.picture(i, 12, 9 + i % 3))
  return tmp_path


@pytest.fixture
def run(folders, small):
  """A run of 8 px that nobody trained."""
  config = small(data__resolution=8, networks__fmap_max=4)
  state = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(
      build(config).init, jax.random.key(0)))
  with workdir.Workdir(folders / 'run') as folder:
    folder.start(config)
  with checkpoints.Checkpoints(folders / 'run' / 'checkpoints') as saved:
    saved.save(8, {'state': state})
  return folders / 'run'


def test_a_set_beside_a_run_gets_its_size(run, command):
  asked = (*WAY, f'--workdir={run}', '--real=a', '--count=4', '--metrics=fid')
  status, _, err = command(*asked)
  assert status == 1 and '--resolution=8, to which all' in err
  status, out, err = command(*asked, '--resolution=8')
  assert status == 0 and '4 samples against 6 of a' in out, err


def full(*_):
  raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_scores_that_cannot_be_written_are_told_before_or_shown(
    run, command, monkeypatch):
  """Where opening fails, nothing is computed; a full disk costs no number."""
  compute, computed = evaluate.compute, []
  monkeypatch.setattr(evaluate, 'compute', lambda *asked: (
      computed.append(asked), compute(*asked))[1])
  asked = (*WAY, f'--workdir={run}', '--count=4', '--metrics=fid')
  file = run / 'scores.jsonl'
  file.mkdir()
  status, _, err = command(*asked)
  assert status == 1 and not computed
  assert f'error: {file}: cannot be written (Is a directory)' in err
  assert '--out=FOLDER' in err
  file.rmdir()
  file.symlink_to('elsewhere')
  status, _, err = command(*asked)
  assert status == 1 and not computed and not (run / 'elsewhere').exists()
  assert "cannot be written (it is a link to 'elsewhere'; wanted a" in err
  file.unlink()
  with monkeypatch.context() as patched:
    patched.setattr(text, 'append', full)
    status, out, err = command(*asked, '--json')
  assert status == 1 and len(computed) == 1
  value = json.loads(out)['scores']['frechet_pixels']['value']
  assert f' [pixels] {int(value)}.' in ' '.join(err.split())
  assert f'{file}: could not be written (No space left on device)' in err
  status, out, err = command(*asked, '--out=elsewhere')
  assert status == 0 and 'elsewhere/scores.jsonl' in out, err


@pytest.mark.parametrize('ends', ['damage', 'Ctrl-C'])
def test_scores_before_an_error_are_shown(ends, run, command, monkeypatch):
  """Also those that the disk has refused, and of a run that is not done."""
  other = shutil.copytree(run, run.with_name('other'))
  monkeypatch.setattr(text, 'append', full)
  compute, computed = evaluate.compute, []
  if ends == 'damage':
    (other / 'checkpoints' / '8' / 'record' / 'metadata').write_text('{}')

  def computes(*asked):
    if computed:
      raise KeyboardInterrupt
    computed.append(compute(*asked))
    return computed[0]

  monkeypatch.setattr(evaluate, 'compute', computes)
  status, out, err = command(
      *WAY, f'--workdir={run},{other}', '--count=4', '--metrics=fid')
  value = computed[0][0][0].value
  assert f' [pixels] {int(value)}.' in ' '.join(out.split())
  assert f'warning: {run / "scores.jsonl"}: could not be written' in out
  if ends == 'damage':
    assert status == 1 and f'error: --workdir={other}: none of the' in err
  else:
    assert status == 130


def test_what_is_no_folder_for_scores_is_said(run, command):
  status, _, err = command(*WAY, f'--workdir={run}', '--out=/dev/null')
  assert status == 1 and 'error: /dev/null: not a folder. Give another' in err


def test_moments_are_saved_and_read(folders, command):
  asked = (*WAY, '--fake=b', '--metrics=fid', '--resolution=8', '--out=out')
  assert command(*WAY, '--real=a', '--resolution=8', '--save_stats=a.npz')[
      :2] == (0, 'a.npz\n')
  for real in 'a', 'a.npz':
    status, _, err = command(*asked, f'--real={real}')
    assert status == 0, err
  lines = (folders / 'out' / 'scores.jsonl').read_text().splitlines()
  values = [json.loads(line)['scores']['frechet_pixels']['value']
            for line in lines]
  assert values[0] == pytest.approx(values[1], rel=1e-9)
  assert np.load('a.npz')['mu'].shape == (192,)
