// Elements made of text. What the server says is only ever put in as text, never as HTML.

export function byId(id) {
  return document.getElementById(id);
}

// element('p', {className: 'hint'}, 'text', other, ...): texts and elements become children.
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A name that somebody else has chosen: kept apart from the direction of what is around it.
export function nameOf(text) {
  return element('bdi', {}, visible(text));
}

const maxShownChars = 300;

// Characters that cannot be seen, look like a space, or change the order of those around them, by their numbers. A space
// is only seen between others.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{DI}\u2800]|(?! )\p{Zs}|^ | $/gu;

export function visible(text) {
  const chars = Array.from(text);
  const cut = chars.length > maxShownChars;
  const kept = cut ? chars.slice(0, maxShownChars).join('') : text;
  const shown = kept.replace(
    unseen,
    (char) => `⟨U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
  return cut ? `${shown}… (${chars.length - maxShownChars} more characters)` : shown;
}

// Names and values of a <dl>: [['Members', 3], ...].
export function drawFigures(list, figures) {
  list.replaceChildren(
    ...figures.map(([name, value]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, value)),
    ),
  );
}

// Takes away all that the server has said, and what was typed in for it.
export function wipe() {
  const shown = byId('console');
  for (const one of shown.querySelectorAll('p, dl, ul, ol, tbody, bdi[id]')) one.replaceChildren();
  for (const form of shown.querySelectorAll('form')) form.reset();
  byId('confirm').close('no');
  for (const part of ['banner', 'rooms-table', 'room', 'user-found']) byId(part).hidden = true;
}
