"""Laws of tables: one set of values, three ways to write it."""
import csv
import io
import math
import re

import pytest

from msg_gan_jax.report import tables
from msg_gan_jax.report.tables import Around, PlusMinus, Table

TABLE = Table(
    ('method', 'FID', 'n', 'note'), [
        ('wgan_gp', Around(12.345678, 11.1, -13.5), 3, 'ok'),
        ('a|b & 50 % $x$ \\ {y}', Around(1.5e-7), 12_000, None),
        ('中文\x1b[2J\nßé', Around(math.nan), 0, '<b>')],
    'Fréchet distance.', ['Intervals are 95 %.'])


def test_csv_reads_back_in_full_precision():
  rows = list(csv.reader(io.StringIO(tables.comma_separated(TABLE))))
  assert rows[0] == ['method', 'FID', 'FID low', 'FID high', 'n', 'note']
  assert [float(x) for x in rows[1][1:4]] == [12.345678, 11.1, -13.5]
  assert rows[2][0] == TABLE.rows[1][0] and rows[2][2:] == [
      '', '', '12000', '']
  assert rows[3][0] == TABLE.rows[2][0]


def test_markdown_has_a_cell_for_each_value_and_nothing_else():
  lines = tables.markdown(TABLE).splitlines()[2:7]
  assert len(lines) == 5
  for line in lines:
    assert len(re.findall(r'(?<!\\)\|', line)) == 5
  assert lines[1] == '| --- | ---: | ---: | --- |'
  assert '12.35 [11.1, −13.5]' in lines[2]
  assert '12,000' in lines[3] and '1.5e−07' in lines[3]
  assert '\x1b' not in lines[4] and '\\<b\\>' in lines[4]


def test_latex_has_only_what_pdflatex_reads():
  text = tables.latex(TABLE)
  body = text.split('\\midrule')[1].split('\\bottomrule')[0]
  assert '{lrrl}' in text
  for row in body.strip().splitlines():
    assert len(re.findall(r'(?<!\\)&', row)) == 3 and row.endswith(' \\\\')
    assert all(ord(c) < 0x180 for c in row)
    for special in '%#_$':
      # $ only in pairs, around our own symbols.
      bare = re.findall(rf'(?<!\\)\{special}', row)
      assert not bare or special == '$' and len(bare) % 2 == 0
  assert '[U+4E2D]' in body and 'ß' in body


@pytest.mark.parametrize(('name', 'text'), [
    ('[0, 1]', '{[}0, 1]'), ('*', '{*}')])
def test_no_name_is_an_argument_of_the_line_end_before_it(name, text):
  assert f'\\midrule\n{text} & 1 \\\\\n{text} & 2 \\\\\n' in tables.latex(
      Table(('x', 'y'), [(name, 1), (name, 2)]))


@pytest.mark.parametrize(('value', 'text'), [
    (1e-5, '$10^{-5}$'), (2e-4 / 10, '$2\\times10^{-5}$'),
    (-1e-5, '$-10^{-5}$'), (.0002, '0.0002'), (-1.5, '$-$1.5'),
    (-math.inf, '$-$$\\infty$'),
    (Around(3e-6, -2e-6, .5), '$3\\times10^{-6}$ [$-2\\times10^{-6}$, 0.5]')])
def test_latex_has_powers_of_ten_and_not_the_e_of_computers(value, text):
  assert f'\n{text} \\\\\n' in tables.latex(Table(('x',), [(value,)]))


@pytest.mark.parametrize(('value', 'text'), [
    (999.7, '1,000'), (-999.7, '-1,000'), (999.4, '999'), (1234., '1,234')])
def test_what_rounding_makes_longer_is_written_out(value, text):
  assert tables.number(value, 3) == text


@pytest.mark.parametrize(('value', 'text'), [
    (0., '0'), (9999.7, '10,000'), (1234.56, '1235'), (123456.7, '123,457'),
    (-.00012345, '-0.0001234'), (math.inf, '∞'), (math.nan, '')])
def test_numbers_have_their_significant_digits(value, text):
  assert tables.number(value) == text


def test_a_number_with_its_error_in_each_form():
  table = Table(('run', 'fid'), [['a', PlusMinus(7.0731, .0999)],
                                 ['b', PlusMinus(3.)], ['c', 2.5]])
  assert '| a | 7.073 ± 0.1 |\n| b | 3 |\n| c | 2.5 |' in tables.markdown(table)
  assert 'a & 7.073 $\\pm$ 0.1 \\\\' in tables.latex(table)
  assert tables.comma_separated(table) == (
      'run,fid,fid error\na,7.0731,0.0999\nb,3.0,\nc,2.5,\n')


def test_a_table_that_is_wider_than_a_line_is_folded_and_in_parts():
  names = [f'run_{i}_with-a.long/name_' * 4 + 'x' * 40 for i in range(3)]
  columns = [f'precision_random_conv_{i} (local)' for i in range(8)]
  text = tables.latex(Table(('run', *columns), [
      [name, *map(float, range(8))] for name in names]))
  parts = text.split('\\par\\medskip')
  assert len(parts) > 1
  for part in parts:
    kinds = re.search(r'\\begin\{tabular\}\{(.*)\}\n', part)[1]
    room = sum(map(float, re.findall(r'p\{([\d.]+)em\}', kinds)))
    count = kinds.count('p') + kinds.count('r') + kinds.count('l')
    assert 2 * room + tables.BETWEEN * count <= tables.LINE
    for name in names:  # Each part says whose numbers they are.
      assert name.replace('_', '\\_') in part.replace('\\allowbreak{}', '')
  for i, column in enumerate(columns):
    assert text.replace('\\allowbreak{}', '').count(
        column.replace('_', '\\_')) == 1, i


def test_nothing_longer_than_a_piece_is_without_a_place_to_be_broken():
  text = tables.latex(Table(('run', 'a'), [['x' * 500, 'y' * 500]]))
  pieces = re.split(r'\\allowbreak\{\}|[ &\n]', text)
  assert max(x.count('x') for x in pieces) == tables.PIECE


def test_a_table_that_fits_is_as_it_was():
  text = tables.latex(Table(('run', 'fid'), [['a_b', 1.5]]))
  assert 'allowbreak' not in text and '{lr}' in text
  assert text.endswith('a\\_b & 1.5 \\\\\n\\bottomrule\n\\end{tabular}\n')
