'use strict';
(() => {
  const all = (query, inside = document) => [...inside.querySelectorAll(query)];
  let unit = null, slider, radios, runs, moments;
  let place = 1;  // Of the slider, 0 .. 1.

  const value = frame => Number(
      frame.getAttribute('data-' + unit.replace(/_/g, '-')));
  const said = number => Math.round(number).toLocaleString('en') + ' ' + (
      radios.find(radio => radio.value === unit)?.parentElement.textContent
      .trim() || 'real images');

  // The newest picture of each run that had cost no more than the moment.
  const show = () => {
    const moment = moments[Number(slider.value)];
    document.getElementById('moment-words').textContent = said(moment);
    slider.setAttribute('aria-valuetext', said(moment));
    for (const {frames, at} of runs) {
      const past = frames.filter(frame => value(frame) <= moment);
      const shown = past.length ? past[past.length - 1] : frames[0];
      for (const frame of frames) frame.hidden = frame !== shown;
      if (shown) at.textContent = said(value(shown));
    }
  };

  const choose = name => {
    unit = name;
    for (const part of all('.over')) {
      part.hidden = part.dataset.unit !== unit;
    }
    if (!slider) return;
    moments = [...new Set(runs.flatMap(run => run.frames.map(value)))]
        .filter(Number.isFinite).sort((a, b) => a - b);
    slider.max = Math.max(0, moments.length - 1);
    slider.value = Math.round(place * slider.max);
    show();
  };

  // Once, and again where the page has got new content: the axis that was
  // chosen stays, and the place in time about where it was.
  const begin = () => {
    slider = document.getElementById('moment');
    radios = all('input[name=unit]');
    runs = all('.beside figure').map(figure => ({
      frames: all('img', figure), at: figure.querySelector('.at')}));
    for (const radio of radios) {
      radio.addEventListener('change', () => choose(radio.value));
      if (radio.value === unit) radio.checked = true;
    }
    slider?.addEventListener('input', () => {
      place = moments.length > 1 ? slider.value / (moments.length - 1) : 1;
      show();
    });
    // Charts that are not over time have one axis, and there is no choice.
    choose(radios.find(radio => radio.checked)?.value
        || (all('.films').length ? 'images' : all('.over')[0]?.dataset.unit)
        || 'images');
  };

  document.addEventListener('renewed', begin);
  begin();
})();
