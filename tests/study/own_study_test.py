"""A new user's study, as the guide has it: under 20 lines, and it runs."""
import dataclasses
import runpy

from helpers import ROOT
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.study import rounds
from msg_gan_jax.study.plan import judged, with_settings
from msg_gan_jax.study.space import Choices, choices, presets
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.worker import Worker

GUIDE = ROOT / 'docs' / 'guide' / 'adding_a_row.md'


@pytest.fixture
def written(tmp_path):
  """(Config of the base, Study) of the guide's file."""
  text = GUIDE.read_text(encoding='utf-8').split('## A study:')[1]
  code = text.split('```python\n')[1].split('```')[0]
  lines = [line for line in code.splitlines() if line.strip()]
  assert len(lines) < 20
  path = tmp_path / 'hinge.py'
  path.write_text(code, encoding='utf-8')
  scope = runpy.run_path(str(path))
  return schema.parse(scope['get_config']()), scope['get_study']()


def test_the_study_of_the_guide_plans(written):
  found, whole = rounds.due(*written, [])
  assert whole and len(found.runs) == 2 * 2 * 3
  assert not found.dropped and found.programs == 2  # Rates are traced.
  assert {x.config.objective.loss for x in found.runs} == {
      'hinge', 'non_saturating'}


@pytest.mark.slow
def test_the_study_of_the_guide_trains(written, tmp_path):
  base, study = written
  base = with_settings(base, {
      'train.total_images': 16, 'train.batch': 8, 'networks.fmap_max': 8,
      'train.measure_every_images': 16, 'train.sample_every_images': 16,
      'train.checkpoint_every_images': 16, 'data.count': 64,
      'data.held_out': 32, 'evaluate.metrics': ''})
  study = dataclasses.replace(study, seeds=(0,), axes={
      **study.axes, 'rate': choices(2e-4, of=study.axes['rate'].settings)})
  queue = Queue(open_storage(tmp_path))
  assert Worker(tmp_path, judged(base, study), study, queue,
                lambda line: None).work() == 0
  assert [x.state for x in queue.trials()] == ['done'] * 2
  assert all(x.value > 0 for x in queue.trials())


def test_a_row_of_presets_is_all_that_a_preset_sets():
  axis = presets({'dragan': {'networks.fmap_max': 128}, 'msg_progan': {}},
                 {'train.batch': 8, 'networks.fmap_max': 32})
  assert isinstance(axis, Choices) and list(axis.rows) == [
      'dragan', 'msg_progan']
  for name, width in (('dragan', 128), ('msg_progan', 32)):
    wanted = schema.flatten(schema.parse(schema.template(name)))
    row = axis.rows[name]
    assert (row['train.batch'], row['networks.fmap_max']) == (8, width)
    # Whatever preset the base is of.
    assert all(row[x] == wanted[x] for x in schema.PRESETS['dragan']
               if x not in ('train.batch', 'networks.fmap_max'))
  with pytest.raises(ValueError, match="study.axes: no preset 'dragun'"):
    presets({'dragun': {}})
