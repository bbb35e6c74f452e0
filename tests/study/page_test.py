"""Laws of the page of a study: what it links is there, and it is fast."""
import pathlib
import re
import time

import numpy as np
import pytest
import synthetic_studies as synthetic

from msg_gan_jax.study import findings, page
from msg_gan_jax.study.results import Result, Results


def results(runs):
  return Results([Result(
      point, seed, np.nan if record['diverged'] else record['curve'][
          record['metric']][-1],
      {'kid_classifier': record['curve']['kid_classifier'][-1]},
      record['cost'], record['curve']) for point, seed, record in runs],
                 'frechet_classifier')


STUDIES = {
    'one_seed': lambda: synthetic.landscape(seeds=[0])[:12],
    'drawn': lambda: synthetic.bandit(30),
    'one_axis': synthetic.rates,
    'one_point': lambda: synthetic.rates()[:3],
    'alike': lambda: [({'loss': x}, s, synthetic.record(
        np.random.default_rng(0), 30., 100, 2)) for x in 'ab' for s in (0, 1)],
    'other_seeds': lambda: [({'loss': 'ab'[s % 2]}, s, synthetic.record(
        np.random.default_rng(s), 30., 100, 2)) for s in range(4)]}


@pytest.mark.parametrize('name', STUDIES)
def test_what_a_page_links_is_there(name, tmp_path):
  paths = page.write(results(STUDIES[name]()), page.Told(
      'a_study | x', {}, ['a finding'], ['It was', 'measured.'], ['a note']),
                     tmp_path)
  text = (tmp_path / 'study.md').read_text()
  assert all(pathlib.Path(path).stat().st_size for path in paths)
  links = re.findall(r'\]\(([^)]+)\)', text)
  assert links and all((tmp_path / link).is_file() for link in links)
  assert text.startswith('# a\\_study \\| x\n')
  assert '- a finding' in text and '- a note' in text
  assert '## How it was measured\n\nIt was measured.\n' in text
  assert not re.search(r'\bnan\b|\bNone\b', text)
  for name in ('budget', 'best'):  # Of the whole study, whatever its axes are.
    for ending in ('md', 'tex', 'csv'):
      assert (tmp_path / f'tables/{name}.{ending}').is_file()


@pytest.fixture
def saved(monkeypatch):
  """Names of figures, none of which is saved, for that takes seconds."""
  names = []
  monkeypatch.setattr(page.plots, 'save', lambda figure, path: (
      names.append(path.name), [])[1])
  return names


def test_many_names_have_all_tables_and_figures_of_the_best(tmp_path, saved):
  rng = np.random.default_rng(0)
  names = [f'method {x}' for x in 'abcdefghijkl']
  found = results([({'method': x, 'n_dis': n}, seed, synthetic.record(
      rng, 20. + i + n, 100, 2)) for i, x in enumerate(names)
                   for n in (1, 5) for seed in range(3)])
  page.write(found, page.Told('many', {}, []), tmp_path)
  for table in ('by_method', 'cost_by_method', 'budget_method', 'best_method'):
    rows = (tmp_path / f'tables/{table}.csv').read_text().splitlines()[1:]
    assert sorted(row.split(',')[0] for row in rows) == names
  assert {'budget_method', 'best_method', 'heat'} <= {*saved}
  text = (tmp_path / 'study.md').read_text()
  assert text.count('the best 8 of 12 by their medians') == 3


def test_what_has_no_figure_is_told(tmp_path, saved):
  rng = np.random.default_rng(0)
  found = results([({'a': i % 2, 'b': i // 2 % 2, 'c': i // 4 % 2, 'd': i // 8},
                    0, synthetic.record(rng, 20. + i, 100, 1))
                   for i in range(16)])
  page.write(found, page.Told('four', {}, []), tmp_path)
  text = (tmp_path / 'study.md').read_text()
  rest, = re.findall(
      r'\n(\w): only in tables. Figures are of the 3 axes that matter', text)
  assert 'no run was measured more than once' in text
  assert {name.removeprefix('budget_') for name in saved
          if name.startswith('budget_')} == {*'abcd'} - {rest}
  assert 'curves' not in saved and 'figures/curves' not in text
  assert (tmp_path / f'tables/budget_{rest}.md').is_file()


@pytest.mark.slow
def test_the_page_of_ten_thousand_runs_takes_no_minute(tmp_path):
  runs = synthetic.landscape(seeds=range(334))
  began = time.process_time()
  found = results(runs)
  page.write(found, page.Told('many', {}, findings.findings(found)), tmp_path)
  assert time.process_time() - began < 60
  table = (tmp_path / 'tables/runs.csv').read_text().splitlines()
  assert len(table) == 1 + 10_020
