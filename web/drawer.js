// The side of the page, which is a drawer on narrow screens.

const narrow = matchMedia('(max-width: 760px)');

export class Drawer {
  #app;
  #menu;
  #close;
  #behind;

  // app gets the class `drawer-open`; behind is what it covers.
  constructor({ app, menu, close, scrim, behind }) {
    this.#app = app;
    this.#menu = menu;
    this.#close = close;
    this.#behind = behind;
    menu.addEventListener('click', () => this.set(true));
    close.addEventListener('click', () => this.set(false));
    scrim.addEventListener('click', () => this.set(false));
    addEventListener('keydown', (event) => event.key === 'Escape' && this.set(false));
    narrow.addEventListener('change', () => this.set(false));
  }

  set(open) {
    if (!narrow.matches) open = false;
    const was = this.#app.classList.contains('drawer-open');
    this.#app.classList.toggle('drawer-open', open);
    this.#menu.setAttribute('aria-expanded', String(open));
    this.#behind.inert = open;
    if (open && !was) this.#close.focus();
    if (!open && was) this.#menu.focus();
  }
}
