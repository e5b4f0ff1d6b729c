// A graph of an hour: a line without axes, with its figures in words.

import { lines } from './figures.js';

const slots = 360;
const size = { slots, width: 180, height: 36 };
const svg = 'http://www.w3.org/2000/svg';

function shape(name, attributes) {
  const made = document.createElementNS(svg, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// A sample between two gaps is a point, which a line of one place would not show.
function drawn(run) {
  const at = ({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`;
  return run.length === 1
    ? shape('circle', { cx: run[0].x.toFixed(1), cy: run[0].y.toFixed(1), r: 1.5 })
    : shape('polyline', { points: run.map(at).join(' ') });
}

export function sparkline(samples, label) {
  const graph = shape('svg', {
    viewBox: `-2 -2 ${size.width + 4} ${size.height + 4}`,
    role: 'img',
    'aria-label': label,
    class: 'sparkline',
    preserveAspectRatio: 'none',
  });
  graph.append(...lines(samples, size).map(drawn));
  return graph;
}
