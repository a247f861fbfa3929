// A drop zone for one file: shows the file and uploads it in the background.

import { requestJson, announce } from "./app.js";
import { withProxy } from "./proxy.js";
import { UploadExpired, forget, remember, remembered, upload } from "./uploads.js";

const TYPES = {
  jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", bmp: "image/bmp",
  heic: "image/heic", heif: "image/heif", avif: "image/avif",
  mp4: "video/mp4", mov: "video/quicktime", avi: "video/x-msvideo", mkv: "video/x-matroska", webm: "video/webm",
  gif: "image/gif",
};

export class FilePicker {
  constructor(root, onChange) {
    this.root = root;
    this.kind = root.dataset.drop;
    this.field = root.dataset.field;
    this.onChange = onChange;
    this.input = root.querySelector('input[type="file"]');
    this.shown = root.querySelector(".shown");
    this.url = null;  // URL of the complete upload
    this.seconds = null;  // duration of a video, once its metadata is loaded
    this.media = null;
    this.input.addEventListener("change", () => this.input.files[0] && this.take(this.input.files[0]));
    for (const name of ["dragenter", "dragover"]) root.addEventListener(name, (e) => { e.preventDefault(); root.classList.add("over"); });
    for (const name of ["dragleave", "drop"]) root.addEventListener(name, () => root.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer.files[0];
      if (file) this.take(file);
    });
    root.querySelector("[data-clear]").addEventListener("click", () => this.clear());
    root.querySelector("[data-retry]").addEventListener("click", () => this.send());
    this.exampleButton = root.querySelector("[data-example]");
    this.exampleButton.addEventListener("click", () => this.takeExample(this.exampleButton.dataset.example));
  }

  async takeExample(name) {
    this.line("Fetching the example …");
    try {
      const response = await fetch(`/console/examples/${name}`, { headers: { accept: "application/json" } });
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).message ?? "The example is not available.");
      await this.take(new File([await response.blob()], name));
    } catch (error) {
      this.line(error.message, { problem: true });
    }
  }

  /** Show a file that was uploaded before, from `stored` or from a task. */
  adopt({ file_url: url, view_url: viewUrl, name = "" }) {
    this.clear({ quiet: true });
    Object.assign(this, { url, viewUrl, name });
    if (viewUrl) this.show(viewUrl);
    else this.fill(this.note(`The file at ${url}`));
    this.line(name || (viewUrl ? "Uploaded before" : "At another address"));
    this.onChange(this);
  }

  /** What `adopt` needs to show the file again; null without a complete upload. */
  stored() {
    return this.url && { field: this.field, file_url: this.url, view_url: this.viewUrl, name: this.name };
  }

  clear({ quiet = false } = {}) {
    this.abort?.abort(new DOMException("removed", "AbortError"));
    if (this.local) URL.revokeObjectURL(this.local);
    Object.assign(this, { file: null, url: null, viewUrl: null, name: "", seconds: null, media: null, local: null });
    this.input.value = "";
    this.shown.replaceChildren();
    this.shown.hidden = true;
    this.root.classList.remove("filled");
    this.line("");
    if (quiet) return;
    this.input.focus();
    this.onChange(this);
  }

  take(file) {
    this.clear();
    this.extension = file.name.includes(".") ? file.name.split(".").pop().toLowerCase() : "";
    const type = TYPES[this.extension];
    const bytesMax = Number(this.root.dataset.bytesMax);
    if (!type?.startsWith(this.kind)) return this.line(`${file.name} has an unsupported format. Supported: ${this.input.accept.replaceAll(",", ", ")}`, { problem: true });
    if (file.size > bytesMax) return this.line(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB. The limit is ${bytesMax / 1e6} MB.`, { problem: true });
    Object.assign(this, { file, type, name: file.name, local: URL.createObjectURL(file) });
    this.show(this.local);
    return this.send();
  }

  show(source) {
    if (this.kind === "image") {
      this.media = Object.assign(new Image(), { src: source, alt: `The character: ${this.name}` });
    } else {
      this.media = Object.assign(document.createElement("video"), { src: source, muted: true, playsInline: true, preload: "auto" });
      this.media.setAttribute("aria-label", `The video: ${this.name}`);
      this.media.addEventListener("loadedmetadata", () => {
        if (Number.isFinite(this.media.duration)) this.seconds = this.media.duration;  // some recordings have no duration
        this.onChange(this);
      });
      const { media } = this;
      this.askForProxy = withProxy(media, () => this.url, (text) => this.media === media && this.fill(text ? this.note(text) : media));
    }
    this.fill(this.media);
  }

  fill(content) {
    this.shown.replaceChildren(content);
    this.shown.hidden = false;
    this.root.classList.add("filled");
  }

  note(textContent) {
    return Object.assign(document.createElement("p"), { className: "not-shown", textContent });
  }

  async send() {
    this.abort = new AbortController();
    const { signal } = this.abort;
    const { file } = this;
    this.line(file.name, { fraction: 0 });
    try {
      const target = await this.uploadToTarget(file, signal);
      if (signal.aborted) return;
      Object.assign(this, { url: target.file_url, viewUrl: target.view_url });
      const length = this.seconds ? `, ${this.seconds.toFixed(1)} s` : "";
      this.line(`${file.name} · ${(file.size / 1e6).toFixed(1)} MB${length}`);
      announce(`${file.name} was uploaded`);
      this.askForProxy?.();
      this.onChange(this);
    } catch (error) {
      if (error.name !== "AbortError") this.line(error.message, { problem: true, retry: true });
    }
  }

  /** Upload to the remembered target of this file if it is still valid, else to a new one. Returns the target. */
  async uploadToTarget(file, signal) {
    const onProgress = ({ sent, waiting }) => {
      const fraction = file.size ? sent / file.size : 1;
      // The text stays the same while the upload works: screen readers announce every change.
      this.line(waiting ? `Connection lost at ${Math.floor(fraction * 100)} %; retrying …` : file.name, { fraction });
    };
    for (let retried = false; ; retried = true) {
      const query = new URLSearchParams({ content_type: this.type, ext: `.${this.extension}`, size: file.size });
      const known = retried ? null : remembered(file);
      const target = known ?? (await requestJson(`/console/uploads?${query}`, { method: "POST", signal }));
      remember(file, target);
      try {
        await upload(file, target, this.type, onProgress, signal);
        return target;
      } catch (error) {
        if (error instanceof UploadExpired) forget(file);
        if (!(error instanceof UploadExpired) || retried) throw error;
      }
    }
  }

  line(text, { fraction = null, problem = false, retry = false } = {}) {
    const bar = this.root.querySelector(".bar");
    bar.classList.toggle("problem", problem);
    bar.querySelector(".name").textContent = text || "\u00a0";
    const progress = bar.querySelector("progress");
    progress.hidden = fraction === null;
    if (fraction !== null) progress.value = fraction;
    bar.querySelector("[data-retry]").hidden = !retry;
    const isFilled = this.root.classList.contains("filled");
    bar.querySelector("[data-clear]").hidden = !isFilled;
    this.exampleButton.hidden = isFilled;
  }
}
