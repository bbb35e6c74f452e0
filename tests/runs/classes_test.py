"""Names of classes lie in a run's folder, and stand for their numbers."""
import json

import pytest

from msg_gan_jax.runs import classes, workdir

NAMES = ('cat', 'dog', 'red, blue', '3', '1', 'say "a"', 'name:x', 'new\nline',
         'кот', ' pad', "d'or", 'a-b:c', '')


@pytest.mark.parametrize('text, wanted', [
    ('', ()), ('dog', (1,)), ('dog,cat', (1, 0)), ('dog, cat', (1, 0)),
    ('3', (3,)), ('1,dog,0', (1, 1, 0)), ('-1', (-1,)), ('99', (99,)),
    ('name:3', (3,)), ('name:1', (4,)), ('name:dog', (1,)),
    ('"red, blue",cat', (2, 0)), ('"say ""a"""', (5,)), ('say "a"', (5,)),
    ('name:name:x', (6,)), ('кот', (8,)), ('pad', (9,)), ("d'or", (10,)),
    ('a-b:c', (11,)),
])
def test_words_are_numbers_or_names(text, wanted):
  assert classes.numbers(text, NAMES, len(NAMES)) == wanted


def test_every_name_is_understood_as_it_is_spelled():
  """Alone, and all of them in one list."""
  for i, name in enumerate(NAMES[:-1]):
    assert classes.numbers(classes.spelled(name), NAMES, 13) == (i,), name
  text = ','.join(map(classes.spelled, NAMES))
  assert classes.numbers(text, NAMES, 13) == tuple(range(13))


@pytest.mark.parametrize('text, names, count, wanted', [
    ('dgo', ('cat', 'dog'), 2, "no class 'dgo'; did you mean 'dog'? Known: "
                               'cat,dog.'),
    ('Dog', ('cat', 'dog'), 2, "no class 'Dog'; did you mean 'dog'? "),
    ('3.5', ('cat', '3'), 2, "no class '3.5'; did you mean '3'? Known: cat,n"
                             'ame:3.'),
    ('name:7', ('a,b', 'c'), 2, 'no class \'7\'; Known: "a,b",c.'),
    ('cat,', ('cat', 'dog'), 2, "no class ''; Known: "),
    ('"cat', ('cat', 'dog'), 2, 'wanted classes with commas between them, fou'),
    ('cat', (), 4, "'cat', but this run has no names of its classes on record;"
                   ' wanted numbers, 0 .. 3.'),
    ('cat', (), 0, "'cat', but the GAN was trained without classes"),
    ('cat', ('cat', 'dog', 'cat'), 3, "'cat' are the classes 0 and 2; wanted"),
    ('klass 7', tuple(f'class {i}' for i in range(500)), 500, "no class 'klass"
     " 7'; did you mean 'class 7'? The 500 that there are stand in classes.js"),
    ('a', ('x' * 10_000, 'y'), 2, "no class 'a'; The 2 that there are stand "),
])
def test_a_name_that_no_class_has_is_told_with_the_nearest(
    text, names, count, wanted):
  with pytest.raises(ValueError, match='^labels: ') as told:
    classes.numbers(text, names, count)
  assert str(told.value).removeprefix('labels: ').startswith(wanted)


def test_a_number_that_names_another_class_is_noticed():
  names = '0', '1', '10', '2'
  assert [*classes.mistakable('0,1,2,name:10,10,3', names)] == [
      (2, '2'), (10, '10')]
  assert [*classes.mistakable('dog,1', ('dog', 'cat'))] == []


def test_a_run_keeps_the_names_of_its_classes(small, tmp_path):
  config, path = small(), tmp_path / 'run'
  hostile = 'кот', 'a\udcffb', 'red\x1b[2J, "x"'
  with workdir.Workdir(path) as folder:
    assert folder.start(config, classes=hostile) == []
    # A start that goes on finds the same ones.
    assert folder.start(config, 8, classes=hostile) == []
  assert not (path / 'changes.jsonl').exists()
  found = classes.read(path)
  assert found == ('кот', 'a\\udcffb', 'red\x1b[2J, "x"')
  assert 'кот' in (path / classes.FILE).read_text(encoding='utf-8')
  with workdir.Workdir(path) as folder:
    line, = folder.start(config, 16, classes=('cat', *hostile[1:]))
  assert line == "classes.json: 'кот' -> 'cat'"
  assert json.loads((path / 'changes.jsonl').read_text())['changed'] == [line]
  assert classes.read(path)[0] == 'cat'


def test_a_run_without_names_has_none(small, tmp_path):
  """One without classes, one of before, and one whose file is damaged."""
  with workdir.Workdir(tmp_path / 'run') as folder:
    folder.start(small())
  path = tmp_path / 'run' / classes.FILE
  assert not path.exists() and classes.read(tmp_path / 'run') == ()
  for text in '["cat", "do', '{"cat": 0}', '3':
    path.write_text(text)
    assert classes.read(tmp_path / 'run') == ()
  with workdir.Workdir(tmp_path / 'run') as folder:
    assert folder.start(small(), 8, classes=('cat', 'dog')) == []
  assert classes.read(tmp_path / 'run') == ('cat', 'dog')
