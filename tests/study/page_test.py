"""Laws of the page of a study: what it links is there, and it is fast."""
import pathlib
import re
import time

import numpy as np
import pytest
import synthetic_studies as synthetic

from msg_gan_jax.study import page
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
  paths = page.write(results(STUDIES[name]()), 'a_study | x', {}, ['a note'],
                     tmp_path)
  text = (tmp_path / 'study.md').read_text()
  assert all(pathlib.Path(path).stat().st_size for path in paths)
  links = re.findall(r'\]\(([^)]+)\)', text)
  assert links and all((tmp_path / link).is_file() for link in links)
  assert text.startswith('# a\\_study \\| x\n')
  assert 'a note' in text
  assert not re.search(r'\bnan\b|\bNone\b', text)


def test_ten_times_the_runs_take_no_minute(tmp_path):
  runs = synthetic.landscape(seeds=range(34))
  began = time.process_time()
  page.write(results(runs), 'many', {}, [], tmp_path)
  assert time.process_time() - began < 30
  table = (tmp_path / 'tables/runs.csv').read_text().splitlines()
  assert len(table) == 1 + 1020
