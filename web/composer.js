// The box in which a message is written.

export class Composer {
  #input;
  #button;
  #wantsFocus = false; // as soon as it can be written in

  // onSend(): the person wants the text sent.
  constructor({ form, input, button, maxChars, onSend }) {
    this.#input = input;
    this.#button = button;
    input.maxLength = maxChars;
    input.addEventListener('input', () => this.#fit());
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      onSend();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      onSend();
      input.focus();
    });
  }

  get text() {
    return this.#input.value;
  }

  set text(text) {
    this.#input.value = text;
    this.#fit();
  }

  // Now, or when it can be written in and nothing else has the focus.
  focus(wanted = true) {
    this.#wantsFocus = wanted;
    if (wanted) this.#input.focus();
  }

  // A box that cannot be written in loses the focus, and gets it back.
  setWritable(isWritable) {
    if (!isWritable && document.activeElement === this.#input) this.#wantsFocus = true;
    this.#input.disabled = this.#button.disabled = !isWritable;
    if (!isWritable) return;
    if (this.#wantsFocus && document.activeElement === document.body) this.#input.focus();
    this.#wantsFocus = false;
  }

  #fit() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
