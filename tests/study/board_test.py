"""People see how far a study is, and not too often."""
import io
import json
import math

import pytest

from msg_gan_jax.study import board, jobs
from msg_gan_jax.study.space import RATES, Study, choices, log_uniform
from msg_gan_jax.study.standing import Standing, expected, standing
from msg_gan_jax.study.work import Trial, Work


class Terminal(io.StringIO):
  def isatty(self):
    return True


class Clock:
  seconds = 0.

  def __call__(self):
    return self.seconds


def trial(number, state, value=None, seconds=10., **record):
  return Trial(Work(str(number), {}), state, value,
               {'seconds': seconds, **record}, '', number)


FAR = Standing(90, 10, 1, 2, 2, trial(3, 'done', 30.123), 100.)


def test_where_a_study_stands_is_counted_from_its_trials():
  trials = [trial(0, 'done', 3.), trial(1, 'done', 1., 20.),
            trial(2, 'done', diverged='d_loss is nan'),
            trial(3, 'failed'), trial(4, 'running'), trial(5, 'waiting')]
  found = standing(trials, 10)
  assert found[:5] == (10, 3, 1, 1, 1) and found.ended == 4
  assert found.best.number == 1 and found.seconds == pytest.approx(40 / 3)
  assert found.left(2) == pytest.approx(6 * 40 / 3 / 2)
  assert standing(trials, lower=False).best.number == 0
  assert standing(trials).planned == 6
  nothing = standing([trial(0, 'waiting')])
  assert nothing.best is None and math.isnan(nothing.left(1))
  assert nothing.words(1) == ''


def test_what_was_not_measured_has_not_diverged():
  assert standing([trial(0, 'done', diverged='')]).diverged == 0


def test_the_words_name_what_there_is():
  assert FAR.words(2) == ('2 running, 2 failed, 1 diverged, best 30.12, '
                          '72 an hour, 1:05:00 left')


@pytest.mark.parametrize('more, count', [
    ({}, 2 * 3), ({'seeds': (0, 1)}, 12),
    ({'first': ({'a': 1},)}, 7)])
def test_a_grid_has_as_many_runs_as_its_points(more, count):
  axes = {'a': choices(1, 2, of='train.n_dis'),
          'b': choices(1e-4, 2e-4, 3e-4, of=RATES)}
  assert expected(Study(axes, **more)) == count


def test_a_sampler_has_as_many_runs_as_it_chooses_in_each_group():
  axes = {'a': choices(1, 5, of='train.n_dis'),
          'b': log_uniform(1e-5, 1e-2, of=RATES)}
  assert expected(Study(axes, sampler='bandit', points=120, seeds=(0, 1, 2),
                        apart=('a',))) == 720


def test_in_a_file_a_run_has_a_line_and_a_minute_one():
  said, now = [], Clock()
  shown = board.Board(2, lambda: FAR, said.append, io.StringIO(), now)
  for second in range(600):
    now.seconds = second
    shown.show('loss ns', 40_000, 60 * second, '60 img/s', worker=second % 2)
  assert len(said) == 10
  assert said[0] == ('12 of 90 runs: ' + FAR.words(2) + '; loss ns: 0 of '
                     '40,000 images 60 img/s')
  assert said[1] == ('12 of 90 runs: ' + FAR.words(2) + '; loss ns: 3,600 of '
                     '40,000 images 60 img/s; loss ns: 3,540 of 40,000 images '
                     '60 img/s')
  shown.say('13 of 90: loss ns: fid 30')
  now.seconds += 59
  shown.show('loss ns', 40_000, 1, '')
  assert said[10:] == ['13 of 90: loss ns: fid 30']


def test_on_a_terminal_each_worker_and_the_study_have_a_line():
  out, now = Terminal(), Clock()
  shown = board.Board(2, lambda: FAR, lambda line: None, out, now)
  shown.show('loss ns\n', 40_000, 10_000, 'compiling ...', worker=1)
  shown.close()
  text = out.getvalue()
  assert r'loss ns\n:  25%' in text and '10.0k/40.0k' in text
  assert '12.0/90.0 runs' in text and '1:05:00 left' in text


@pytest.mark.parametrize('stream', [io.StringIO, Terminal])
def test_a_look_that_fails_ends_nothing_and_is_rare(stream):
  out, said, now, looks = stream(), [], Clock(), []

  def standing():
    looks.append(now.seconds)
    if 60 <= now.seconds < 600:
      raise ValueError('storage: it has not answered')
    return FAR

  shown = board.Board(1, standing, said.append, out, now)
  for second in range(600):
    now.seconds = second
    shown.show('loss ns', 40_000, second, '')
  assert sum(60 <= second for second in looks) == 9
  if not shown._bars:
    assert said[5].startswith('12 of 90 runs: ')  # As it was before.
  shown.close()


def test_a_study_that_was_never_seen_has_no_line():
  said = []
  shown = board.Board(1, lambda: 1 / 0, said.append, io.StringIO(), Clock())
  shown.show('loss ns', 40_000, 60, '')
  assert said == ['loss ns: 60 of 40,000 images']


def test_what_a_worker_sends_is_shown_as_its_own(capsys):
  relay = board.Relay()
  relay.say('a line\nof two')
  relay.show('loss ns', 100, 10, 'fast')
  print('hello')
  seen = []

  class Seen:
    def say(self, line, worker):
      seen.append((line, worker))

    def show(self, *what):
      seen.append(what)
  for line in capsys.readouterr().out.splitlines(keepends=True):
    board.receive(Seen(), 1, line)
  assert seen == [('a line\nof two', 1), ('loss ns', 100, 10, 'fast', 1),
                  ('hello', 1)]
  board.receive(Seen(), 0, json.dumps({'a': 1}))
  assert seen[-1] == ('{"a": 1}', 0)


@pytest.mark.parametrize('cores, count, wanted', [
    ([0, 1], 1, [[0, 1]]), ([0, 1], 2, [[0], [1]]),
    ([0, 1], 3, [[0], [1], [0]]), ([3, 5, 6, 7, 9], 2, [[3, 5], [6, 7, 9]])])
def test_cores_are_shared_out(cores, count, wanted):
  assert jobs.shares(cores, count) == wanted
