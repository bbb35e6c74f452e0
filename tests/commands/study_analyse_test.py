"""Laws of --mode=study_analyse and --mode=study_status."""
import pytest
import synthetic_studies as synthetic


@pytest.fixture
def study(tmp_path):
  runs = synthetic.landscape(seeds=[0, 1])[:12]
  for _, _, record in runs:
    length = len(record['curve']['images'])
    record['curve'] |= {'stability_16': [.1] * length,
                        'precision_ada': [None] * length}
  synthetic.write(tmp_path / 'x', 'small', synthetic.LANDSCAPE, runs, failed=1)
  return 'x'


def test_the_page_is_written_and_its_findings_are_said(
    command, study, tmp_path):
  status, out, err = command('--mode=study_analyse', f'--workdir={study}')
  assert status == 0
  page = (tmp_path / 'x/analysis/study.md').read_text()
  assert page.startswith('# small\n')
  assert ('frechet\\_classifier is measured by the protocol local with '
          'features of random\\_conv, 2,048 samples beside held-out pictures; '
          'the best measurement of a run counts.') in page
  assert 'x/analysis/study.md' in out.splitlines()[-1]
  assert out.splitlines()[0].split(':')[0] in page
  assert 'warning: small: 1 run failed, and left out.' in err


def test_the_status_is_a_block(command, study):
  status, out, _ = command('--mode=study_status', f'--workdir={study}')
  assert status == 0
  assert out.startswith('small: 12 of 13 runs done\n')


@pytest.mark.parametrize(('argv', 'text'), [
    (['--mode=study_analyse'], '--workdir: which run?'),
    (['--mode=study_analyse', '--workdir=nothing'],
     '--workdir=nothing: neither a study'),
    (['--mode=study_status', '--workdir=nothing'],
     '--workdir=nothing: not a study'),
    (['--mode=study_analyse', '--workdir=x,x'],
     'wanted a folder for the page, such as --out=comparison'),
    (['--mode=study_analyse', '--workdir=x', '--metric=kidd'],
     "--metric: no run has 'kidd'; Known: classifier_score_classifier, "
     'frechet_classifier, kid_classifier, precision_ada.'),
    (['--mode=study_analyse', '--workdir=x', '--metric=seconds'],
     "--metric: 'seconds' does not say how good samples are; wanted a score: "
     'classifier_score_classifier, frechet_classifier, kid_classifier, '),
    (['--mode=study_analyse', '--workdir=x', '--metric=stability_16'],
     "--metric: 'stability_16' does not say how good samples are; wanted "),
    (['--mode=study_analyse', '--workdir=x', '--metric=precision_ada'],
     'none of the runs has a value of precision_ada: they were not measured.'),
    (['--mode=study_analyse', '--workdir=x', '--study_name=smal'],
     "--study_name: no study 'smal' in the storage; did you mean 'small'"),
    (['--mode=study_status', '--workdir=x', '--metric=kid'],
     '--metric: a flag of --mode=study_analyse')])
def test_each_mistake_has_its_text(command, study, argv, text):
  status, _, err = command(*argv)
  assert status == 1
  assert err.startswith('error: ') and 'Traceback' not in err
  assert text in err
