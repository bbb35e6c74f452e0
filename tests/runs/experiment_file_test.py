"""Laws of a run's own experiment file: whose rows it has, and when it is run.
"""
import json
import os
import shutil

import jax
import jax.numpy as jnp
import pytest

from msg_gan_jax.data.sources import SOURCES
from msg_gan_jax.gan import build
from msg_gan_jax.gan.networks.phi import PHI
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.metrics.table import METRICS
from msg_gan_jax.runs import checkpoints, experiment_file, workdir
from msg_gan_jax.runs.experiment_file import with_rows
from msg_gan_jax.training import loop

OWN = '''
import pathlib
from msg_gan_jax import PHI

pathlib.Path({marker!r}).touch()
PHI['mine'] = PHI['simple']


def get_config(*argument):
  assert argument == {argument!r}
'''


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
  """A secret of the test's own, and tables as they were."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
  monkeypatch.setattr(experiment_file, '_RAN', {})
  yield
  for table in PHI, LOSSES, SOURCES, METRICS:
    table.pop('mine', None)


@pytest.fixture
def start(small, tmp_path):
  """(name, lines, argument) -> a run that began with them: its folder."""
  config = small()

  def begin(name='run', source='', argument=None, images=0):
    file = ''
    if source:
      file = tmp_path / 'mine.py'
      file.write_text(source)
    if argument is not None:
      file = f'{file}:{argument}'
    with workdir.Workdir(tmp_path / name, experiment=str(file)) as folder:
      folder.start(config, images)
    return tmp_path / name

  return begin


@pytest.fixture
def ran(tmp_path):
  """Whether the lines of OWN were run; they are known by this file."""
  return (tmp_path / 'ran').exists


@pytest.fixture
def own(tmp_path):
  return OWN.format(marker=str(tmp_path / 'ran'), argument=())


def look_up():
  return PHI.look_up('mine')


@pytest.mark.parametrize('argument', [None, '', '.5:7'])
def test_a_run_brings_the_rows_that_it_began_with(
    start, tmp_path, argument):
  source = OWN.format(
      marker=str(tmp_path / 'ran'),
      argument=() if argument is None else (argument,))
  run, said = start(source=source, argument=argument), []
  (tmp_path / 'mine.py').unlink()
  assert with_rows(run, look_up, say=said.append) == PHI['simple']
  line, = said
  assert line == (f'{run}/experiment.py is run, for a row that is missing '
                  "without it: config.networks.phi: no φ 'mine'")
  with_rows(run, look_up, say=pytest.fail)


def test_a_row_that_is_known_runs_nothing(start, own, ran):
  run = start(source=own)
  assert with_rows(run, lambda: PHI.look_up('lin_cat'), True, pytest.fail)
  assert not ran()
  # A name that the run's settings lack is looked up by nobody else.
  with pytest.raises(ValueError, match='^bad'):
    with_rows(run, lambda: (_ for _ in ()).throw(ValueError('bad')), True)
  assert not ran()


def of_another_user(run, patch):
  mine = os.geteuid()
  patch.setattr(os, 'geteuid', lambda: mine + 1)


def a_link(run, patch):
  (run / 'experiment.py').rename(run.parent / 'elsewhere.py')
  (run / 'experiment.py').symlink_to(run.parent / 'elsewhere.py')


def edited(run, patch):
  with open(run / 'experiment.py', 'a') as file:
    file.write('# More.\n')


def edited_with_its_record(run, patch):
  """As somebody does who gives the folder away: all in it is consistent."""
  edited(run, patch)
  entries = json.loads((run / 'versions.json').read_text())
  entries[-1]['experiment']['digest'] = experiment_file.hashlib.sha256(
      (run / 'experiment.py').read_bytes()).hexdigest()
  (run / 'versions.json').write_text(json.dumps(entries))


def unpacked(run, patch):
  """The whole run of somebody else, with an own secret."""
  patch.setenv('XDG_CACHE_HOME', str(run.parent / 'mine'))


def without_record(run, patch):
  (run / 'versions.json').unlink()


def without_owners(run, patch):
  patch.delattr(os, 'geteuid')


@pytest.mark.parametrize('harm, why', [
    (of_another_user, 'run belongs to another user'),
    (lambda run, _: run.chmod(0o775), 'others may write .*run, which `chmod'),
    (lambda run, _: run.chmod(0o757), 'others may write .*run, which `chmod'),
    (lambda run, _: (run / 'experiment.py').chmod(0o664),
     r'others may write .*run/experiment\.py, which `chmod'),
    (a_link, 'it is a link'), (edited, 'it is not the file that the run was'),
    (without_record, 'it is not the file that the run was'),
    (edited_with_its_record, 'the run is not one that you have started here'),
    (unpacked, 'the run is not one that you have started here'),
    (without_owners, 'whose it is cannot be told')])
def test_what_others_may_have_written_is_run_only_if_it_is_trusted(
    start, own, ran, monkeypatch, harm, why):
  run = start(source=own)
  harm(run, monkeypatch)
  with pytest.raises(ValueError, match=(
      rf"no φ 'mine'; .* {run}/experiment\.py may have it, but is not run: "
      f'.*{why}.* Read it, and .* trust_code=True')):
    with_rows(run, look_up)
  assert not ran() and 'mine' not in PHI
  for _ in range(2):  # By then the row is known, and is the run's own.
    assert with_rows(run, look_up, True, len) == PHI['simple']
  assert ran()


def test_the_run_of_a_user_may_be_moved_and_copied(start, own):
  run = start(source=own)
  shutil.copytree(run, run.parent / 'copy')
  run.rename(run.parent / 'moved')
  for name in ('copy', 'moved'):
    assert with_rows(run.parent / name, look_up, say=len)
    del PHI['mine']


def test_what_a_umask_allows_others_is_not_allowed_them_here(start, own):
  before = os.umask(0o002)
  try:
    run = start(source=own)
  finally:
    os.umask(before)
  assert with_rows(run, look_up, say=len)


@pytest.mark.parametrize('source, text', [
    ('', "no φ 'mine'; .* keeps no copy of an experiment .* import the module"),
    ('x = 1\n', r"no φ 'mine'; .*/experiment\.py was run, and does not have"),
    ('x = 1\nx = y\n', r"/experiment\.py, line 2: NameError: name 'y' is not"),
    ('x = 1\ny z\n', r'/experiment\.py, line 2: SyntaxError: invalid'),
    ('import no_such\n', r"line 1: ModuleNotFoundError: .*'no_such'; put the f"
                         'older of that module on PYTHONPATH')])
def test_what_cannot_help_says_so(start, source, text):
  with pytest.raises(ValueError, match=text):
    with_rows(start(source=source), look_up, say=len)


def test_the_newest_file_that_a_start_is_given_is_kept(start, own):
  run = start(source=own)
  first = (run / 'experiment.py').read_text()

  def digests():
    entries = json.loads((run / 'versions.json').read_text())
    return [entry['experiment']['digest'] for entry in entries]

  start(images=8)  # Under its own settings.
  assert (run / 'experiment.py').read_text() == first
  assert len(set(digests())) == 1 and not (run / 'changes.jsonl').exists()
  start(source=own + '# Better.\n', images=16)
  assert (run / 'experiment.py').read_text() == own + '# Better.\n'
  change = json.loads((run / 'changes.jsonl').read_text())
  old, new = digests()[1:]
  assert change['changed'] == [
      f'experiment.py: mine.py {old:.8}... -> mine.py {new:.8}...; the new one '
      'is kept']
  assert with_rows(run, look_up, say=len)


def set_in(run, setting, value):
  """Writes another value of a setting into a run's config.json."""
  values = json.loads((run / 'config.json').read_text())
  section, name = setting.split('.')
  values[section][name] = value
  (run / 'config.json').write_text(json.dumps(values))


def test_two_files_never_give_one_name_two_meanings(start, own):
  with_rows(start('a', own), look_up, say=len)
  # The last one began in Python.
  others = [start('b', own + 'x = 1\n'), start('c')]
  for other in others:
    # No setting names that row of that table: it goes its own way.
    for setting in 'train.init_from', 'objective.loss':
      set_in(other, setting, 'mine')
      assert with_rows(other, lambda: 1) == 1
    set_in(other, 'networks.phi', 'mine')
    with pytest.raises(ValueError, match=(
        r"config\.networks\.phi names 'mine', which is by now a row of "
        r'another file, .*/a/experiment\.py\. Wanted a process for each run; '
        '.* out=F')):
      with_rows(other, look_up, True)


def test_files_that_differ_by_a_comment_have_the_same_rows(start, own):
  runs = [start('a', own), start('b', '# Mine.\n' + own)]
  for run in runs:
    set_in(run, 'networks.phi', 'mine')
  for run in [*runs, *runs]:
    assert with_rows(run, look_up, say=len) == PHI['simple']


def test_a_row_that_a_later_file_replaces_is_that_files(start, own):
  run = start('a', own)
  with_rows(run, look_up, say=len)
  set_in(run, 'networks.phi', 'mine')
  later = start('b', (
      "from msg_gan_jax import LOSSES, PHI\nPHI['mine'] = PHI['lin_cat']\n"
      "LOSSES['mine'] = LOSSES['hinge']\n"))
  with_rows(later, lambda: LOSSES.look_up('mine'), say=len)
  with pytest.raises(ValueError, match="names 'mine', .*/b/experiment.py"):
    with_rows(run, look_up)


def test_drawing_needs_no_loss(small):
  LOSSES['mine'] = LOSSES['hinge']
  config = small(objective__loss='mine', objective__penalty='none')
  wanted = jax.eval_shape(build.build(config).init, jax.random.key(0))
  del LOSSES['mine']
  with pytest.raises(ValueError, match="^config.objective.loss: no loss 'min"):
    build.build(config)
  gan = build.build_to_draw(config)
  assert jax.eval_shape(gan.init, jax.random.key(0)) == wanted
  jax.eval_shape(lambda state: gan.sample(state, gan.draw(
      jax.random.key(0), 2)), wanted)
  with pytest.raises(ValueError, match=(
      "no loss 'mine'; .* drawn without it; .* import the module")):
    gan.components.loss.d(None, None)
  for row, name in (('phi', 'networks'), ('name', 'optimizer')):
    broken = small(**{f'{name}__{row}': 'mine'})
    with pytest.raises(ValueError, match=f"^config.{name}.{row}: no "):
      build.build_to_draw(broken)


EXPERIMENT = '''
from msg_gan_jax import (
  LOSSES, METRICS, PHI, SOURCES, Loss, Metric, Phi, Score, template)

LOSSES['mine'] = Loss(*LOSSES['hinge'][:2])
PHI['mine'] = Phi(lambda width: width, lambda images, path, width, r: (
    path + r(path.shape[-1])(images[0]),))
SOURCES['mine'] = SOURCES['avatars']
METRICS['mine'] = Metric(
    lambda pair: (),
    lambda pair: [Score('mine', float(pair.fake.images().mean()))], 'mean',
    lower_is_better=True)


def get_config():
  config = template('msg_progan')
  config.data.name = config.networks.phi = config.objective.loss = 'mine'
  config.data.resolution, config.data.count, config.data.held_out = 8, 64, 32
  config.objective.penalty, config.objective.drift = 'none', 0.
  config.networks.latent = config.networks.fmap_max = config.train.batch = 8
  config.train.total_images = 16
  config.evaluate.metrics, config.evaluate.best = 'mine', ''
  config.evaluate.count = 32
  return config
'''


def fake_train(config, path, experiment):
  """Begins a run that nobody trains: all weights are 0."""
  like = jax.eval_shape(build.build(config).init, jax.random.key(0))
  with workdir.Workdir(path, experiment=experiment) as folder:
    folder.start(config)
  with checkpoints.Checkpoints(folder.path / 'checkpoints') as saved:
    saved.save(16, {'state': jax.tree.map(
        lambda x: jnp.zeros(x.shape, x.dtype), like)})
  return 0


@pytest.mark.slow
def test_every_mode_reads_a_run_of_own_rows(command, tmp_path, monkeypatch):
  """Each as in a process of its own, which has never seen the file."""
  monkeypatch.setattr(loop, 'train', fake_train)
  (tmp_path / 'mine.py').write_text(EXPERIMENT)

  def call(*argv):
    for table in PHI, LOSSES, SOURCES, METRICS:
      table.pop('mine', None)
    experiment_file._RAN.clear()
    status, _, err = command(*argv)
    assert status == 0, err
    return err.count('experiment.py is run, for a row')

  assert call('--config=mine.py', '--workdir=a') == 0
  (tmp_path / 'mine.py').unlink()
  assert call('--mode=sample', '--workdir=a', '--count=2') == 1
  assert call('--workdir=a') == 1
  edited(tmp_path / 'a', None)  # Looked up again and again, and its own.
  assert call('--mode=evaluate', '--workdir=a', '--metrics=mine',
              '--trust_code') == 1
