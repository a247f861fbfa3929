// Boxes around the people of the first frame, over the video. The selected one becomes the field `person`.

import { requestJson } from "./app.js";

export class PersonPicker {
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
    this.setNote(this.hint);
  }

  async detect(picker) {
    const { url } = picker;
    if (url === this.url) return this.place();  // same video, but its size is now known
    this.clear();
    this.url = url;
    this.setNote("Detecting the people in the first frame …");
    try {
      const { people } = await requestJson(`/console/people?video=${encodeURIComponent(url)}`);
      if (picker.url !== url) return;
      this.video = picker.media;
      this.found = people;
      this.draw();
      const count = people.length;
      this.setNote(count === 0 ? "No person in the first frame. The largest person of the video is used."
        : count === 1 ? `One person found in the first frame.` : `${count} people in the first frame. Click the person to ${this.verb}.`);
    } catch (error) {
      if (picker.url === url) this.setNote(`${error.message} The largest person is used.`);
    }
  }

  setNote(text) {
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

  /** Position the boxes over the visible picture, which may be smaller than its element. */
  place() {
    const { video } = this;
    if (!this.found.length) return;
    this.box.hidden = !video.videoWidth;  // not decoded yet
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
