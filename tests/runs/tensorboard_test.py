"""Laws of TensorBoard files: their sections, and that all of it is there."""
import math
import re
import sys

from helpers import ROOT
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import objective
from msg_gan_jax.metrics import table
from msg_gan_jax.runs import records, tensorboard
from msg_gan_jax.training import means, scorer, summary


def sections(names):
  tags = [tensorboard.tag(name, scorer.is_score) for name in names]
  return {tag.partition('/')[0] for tag in tags}


def logged():
  """Names that a step logs, among them those that gan/ writes by `logs[..]`."""
  text = ''.join(path.read_text() for path in (
      ROOT / 'msg_gan_jax' / 'gan').glob('*.py'))
  return {*re.findall(r"logs\['(\w+)'\]", text), *objective.TERMS,
          *means.STATES, 'd_weight_penalty', 'path_length'}


def test_a_name_stands_where_people_look_for_it():
  assert len(logged()) > 15
  assert sections(logged()) == {'losses', 'progress'}
  assert sections(logged() - {'alpha', 'augment_strength'}) == {'losses'}
  scores = {f'{name}_ada' for row in table.METRICS
            for name in table.score_names(row)}
  assert sections({*scores, *summary.SCORES, 'swd_32', 'swd_mean',
                   'fid_torch_fidelity'}) == {'scores'}
  assert sections(('stability_4', 'consistency_8_16', 'share_32',
                   'diversity')) == {'health'}
  assert sections(('mine', 'dresses')) == {'observed'}
  assert tensorboard.tag('mine/a', scorer.is_score) == 'mine/a'


def test_every_name_in_records_of_runs_has_a_section_of_its_own():
  for path in (ROOT / 'tests' / 'runs' / 'earlier').glob('*/metrics.jsonl'):
    names = {name for record in records.read(path)
             for name in records.numbers({
                 k: v for k, v in record.items() if k != 'clock'})}
    assert len(names) > 10
    assert sections(names - {'images'}) <= {
        'losses', 'health', 'scores', 'progress'}, path


def test_files_hold_numbers_and_pictures(tmp_path):
  board = tensorboard.TensorBoard(tmp_path, scorer.is_score)
  board.write(32, {'d_loss': jnp.float32(.5), 'spread': {'d_loss': .1},
                   'fid_ada': 3.}, {'seconds': 1.})
  board.picture('samples', 32, np.zeros((8, 8, 3), np.uint8))
  board.truncate(32)
  board.write(64, {'d_loss': math.nan})
  board.close()
  found = b''.join(p.read_bytes() for p in tmp_path.rglob('*tfevents*'))
  for name in (b'losses/d_loss', b'scores/fid_ada', b'clock/seconds',
               b'samples', b'\x89PNG'):
    assert name in found
  assert b'spread' not in found


def test_a_start_opens_one_file_alone(tmp_path):
  """W&B reads the folder once for each, and had every number twice."""
  board = tensorboard.TensorBoard(tmp_path, scorer.is_score)
  board.truncate(0)
  board.write(32, {'d_loss': .5})
  board.write(64, {'d_loss': .25})
  board.close()
  board.close()
  file, = tmp_path.rglob('*tfevents*')
  assert file.read_bytes().count(b'losses/d_loss') == 2


def test_nothing_is_written_where_nothing_came(tmp_path):
  tensorboard.TensorBoard(tmp_path / 'x', scorer.is_score).close()
  assert not (tmp_path / 'x').exists()


def test_a_missing_extra_says_what_to_install(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorboardX', None)
  with pytest.raises(ValueError, match='pip install tensorboardX'):
    tensorboard.TensorBoard(tmp_path / 'x', scorer.is_score)
