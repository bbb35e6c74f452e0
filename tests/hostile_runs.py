"""Runs whose names and messages are the worst that a disk and JSON can hold."""
import json
import os
import shutil

from helpers import ROOT

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
WORDS = (
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>',
    '</style></script><!--', "' onload='alert(1)", '{{ 7 * 7 }}{% raw %}',
    'two\nlines\r\x1b[31m', '🐱 猫 שלום', '\u202eabc\u2066',
    'javascript:alert(1)', '% _ & # $ ~ ^ \\ {', 'x' * 10_000)


def folder_name(words):
  """What of it a folder can be called: no '/', no comma, and 255 bytes."""
  words = words.replace('/', '∕').replace(',', ' ').encode()[:255]
  return words.decode(errors='ignore')


def write(folder):
  """Writes a run for each of WORDS, which are in all that a person can name.

  Args:
    folder: of the runs.

  Returns:
    Their folders.
  """
  runs = []
  for i, words in enumerate(WORDS):
    run = shutil.copytree(EARLIER, folder / folder_name(words))
    edit(run / 'config.json', lambda config, i=i, words=words: config | {
        'seed': i % 3, 'data': config['data'] | {'path': words},
        'networks': config['networks'] | {
            'classes': 2, 'g_condition': 'concat',
            'd_condition': 'projection'}})
    edit(run / 'versions.json', lambda starts, words=words: [
        start | {'msg_gan_jax': words, 'commit': words, 'date': words,
                 'devices': words} for start in starts])
    (run / 'classes.json').write_text(json.dumps([words, words[::-1]]))
    append(run / 'warnings.jsonl', {'text': words, 'date': words, 'images': 8})
    append(run / 'changes.jsonl', {
        'images': 0, 'changed': [words, f'rollback {words}'], 'date': words})
    (run / 'failed_step.json').write_text(json.dumps({
        'step': {'cause': {'text': words}}, 'command': words}))
    (run / 'metrics.jsonl').write_text(''.join(json.dumps(
        {'images': x, 'd_loss': 1. / x, words: float(x),
         'clock': {'seconds': x / 8, 'images_per_second': 8.}}) + '\n'
        for x in (16, 32)))
    shutil.copy(run / 'walk_0.webp',
                run / f'walk{folder_name(words)[:40]}.webp')
    runs.append(run)
  return runs


def edit(path, change):
  path.write_text(json.dumps(change(json.loads(path.read_text()))))


def append(path, line):
  with open(path, 'a', encoding='utf-8') as file:
    file.write(json.dumps(line) + os.linesep)
