'use strict';
(() => {
  const all = (query, inside = document) => [...inside.querySelectorAll(query)];
  const slider = document.getElementById('moment');
  const words = document.getElementById('moment-words');
  const radios = all('input[name=unit]');
  const runs = all('.beside figure').map(figure => ({
    frames: all('img', figure), at: figure.querySelector('.at')}));
  let unit = radios.length ? radios[0].value : 'images';
  let moments = [];

  const value = frame => Number(
      frame.getAttribute('data-' + unit.replace(/_/g, '-')));
  const said = number => Math.round(number).toLocaleString('en') + ' ' + (
      radios.find(radio => radio.value === unit)?.parentElement.textContent
      .trim() || 'real images');

  // The newest picture of each run that had cost no more than the moment.
  const show = () => {
    const moment = moments[Number(slider.value)];
    words.textContent = said(moment);
    slider.setAttribute('aria-valuetext', said(moment));
    for (const {frames, at} of runs) {
      const past = frames.filter(frame => value(frame) <= moment);
      const shown = past.length ? past[past.length - 1] : frames[0];
      for (const frame of frames) frame.hidden = frame !== shown;
      if (shown) at.textContent = said(value(shown));
    }
  };

  const choose = name => {
    // The place in time stays about where it was.
    const share = moments.length > 1 ? slider.value / (moments.length - 1) : 1;
    unit = name;
    for (const part of all('.over')) {
      part.hidden = part.dataset.unit !== unit;
    }
    if (!slider) return;
    moments = [...new Set(runs.flatMap(run => run.frames.map(value)))]
        .filter(Number.isFinite).sort((a, b) => a - b);
    slider.max = Math.max(0, moments.length - 1);
    slider.value = Math.round(share * slider.max);
    show();
  };

  for (const radio of radios) {
    radio.addEventListener('change', () => choose(radio.value));
  }
  if (slider) slider.addEventListener('input', show);
  choose(unit);
})();
