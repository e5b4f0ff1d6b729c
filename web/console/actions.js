// What changes something: asked for twice, and what came of it is said.

import { byId } from './dom.js';
import { plural } from './figures.js';

// Whether the person wants it: `text` says what it is about, `yes` is on the button.
export function confirmed(text, yes) {
  const dialog = byId('confirm');
  byId('confirm-text').textContent = text;
  byId('confirm-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

export function say(text, isBad = false) {
  const outcome = byId('outcome');
  outcome.textContent = text;
  outcome.classList.toggle('problem', isBad);
}

// What nodes told of a command: '3 connections on 2 nodes', and which did not answer.
export function told({ complete, connections, nodes }) {
  const done = nodes.filter(({ outcome }) => outcome === 'done').length;
  const text = `${plural(connections, 'connection')} on ${plural(done, 'node')}`;
  if (complete) return text;
  const others = nodes.filter(({ outcome }) => outcome !== 'done');
  const names = others.map(({ node, outcome }) => `${node}: ${outcome.replace('_', ' ')}`);
  return `${text}; not all nodes are known to have done it${names.length ? ` (${names.join(', ')})` : ''}`;
}
