// The people of the first frame as boxes over the video; the one that is chosen becomes `person`.

import { ask } from "./app.js";

export class People {
  constructor(box, note, onChoose) {
    Object.assign(this, { box, note, onChoose, found: [], hint: note.dataset.peopleNote, verb: note.dataset.peopleVerb });
    new ResizeObserver(() => this.place()).observe(box.parentElement);
    box.addEventListener("keydown", (event) => this.move(event));
  }

  clear() {
    this.video = this.url = null;
    this.found = [];
    this.box.hidden = true;
    this.box.replaceChildren();
    this.tell(this.hint);
  }

  async look(drop) {
    const { url } = drop;
    if (url === this.url) return this.place();  // told again: its size is known by now
    this.clear();
    this.url = url;
    this.tell("Looking who is in the first frame …");
    try {
      const { people } = await ask(`/console/people?video=${encodeURIComponent(url)}`);
      if (drop.url !== url) return;
      this.video = drop.media;
      this.found = people;
      this.draw();
      const count = people.length;
      this.tell(count === 0 ? "Nobody is in the first frame. The largest person in the shot is taken."
        : count === 1 ? `One person in the first frame: the one to ${this.verb}.` : `${count} people in the first frame: click the one to ${this.verb}.`);
    } catch (error) {
      if (drop.url === url) this.tell(`${error.message} The largest person is taken.`);
    }
  }

  tell(text) {
    this.note.textContent = text;
  }

  draw() {
    this.box.replaceChildren(...this.found.map((person, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.setAttribute("aria-label", `Person ${index + 1}`);
      button.append(Object.assign(document.createElement("span"), { textContent: index + 1 }));
      button.addEventListener("click", () => this.choose(index));
      return button;
    }));
    this.box.hidden = this.found.length === 0;
    if (this.found.length) this.mark(0);
    this.place();
  }

  choose(index) {
    this.mark(index);
    const { x, y, width, height } = this.found[index];
    this.onChoose(index, [x + width / 2, y + height / 2]);
  }

  mark(chosen) {
    [...this.box.children].forEach((button, index) => {
      button.setAttribute("aria-checked", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...this.box.children];
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    this.choose(next);
    buttons[next].focus();
  }

  /** Over the picture itself, wherever it lies in its frame. */
  place() {
    const { video } = this;
    if (!this.found.length) return;
    this.box.hidden = !video.videoWidth;  // a box needs its picture
    if (this.box.hidden) return;
    const area = this.box.parentElement;
    const scale = Math.min(area.clientWidth / video.videoWidth, area.clientHeight / video.videoHeight);
    const width = video.videoWidth * scale, height = video.videoHeight * scale;
    Object.assign(this.box.style, {
      left: `${(area.clientWidth - width) / 2}px`, top: `${(area.clientHeight - height) / 2}px`, width: `${width}px`, height: `${height}px`,
    });
    this.found.forEach((person, index) => Object.assign(this.box.children[index].style, {
      left: `${person.x * 100}%`, top: `${person.y * 100}%`, width: `${person.width * 100}%`, height: `${person.height * 100}%`,
    }));
  }
}
