// The playground form: files and options, price, running a task, its result.

import { requestJson, announce } from "./app.js";
import { FilePicker } from "./file-picker.js";
import { PersonPicker } from "./person-picker.js";
import { keepDraft, readDraft } from "./draft.js";

const page = document.querySelector("[data-playground]");
const form = page.querySelector("[data-recipe]");
const result = page.querySelector("[data-result]");
const person = form.querySelector('[data-kind="person"]');
const rates = Object.fromEntries([...form.querySelectorAll("[data-rate]")].map((r) => [r.dataset.rate, Number(r.value)]));

let personPicker = null;
const filePickers = [...form.querySelectorAll("[data-drop]")].map((root) => new FilePicker(root, onFileChange));
const video = filePickers.find((picker) => picker.kind === "video");
if (person) {
  personPicker = new PersonPicker(video.root.querySelector(".people"), form.querySelector("[data-people-note]"), (index, point) => {
    person.value = point.map((part) => part.toFixed(4)).join(", ");
    announce(`Person ${index + 1} selected`);
    updatePrice();
    keep();
  });
}

function onFileChange(picker) {
  showProblem("");
  if (picker === video && personPicker) {
    if (picker.url) personPicker.detect(picker);
    else if (!picker.file) {
      personPicker.clear();
      person.value = "0";
    }
  }
  updatePrice();
  keep();
}

/** The value of a field with the type of the schema. Throws an Error that names the field. */
function valueOf(field) {
  const text = field.value.trim();
  switch (field.dataset.kind) {
    case "switch": return field.checked;
    case "integer": case "number": {
      const number = Number(text);
      if (!text || Number.isNaN(number)) throw new Error(`${field.name}: must be a number`);
      return number;
    }
    case "person": {
      if (!text.includes(",")) return Number(text || 0);
      return text.split(",").map(Number);
    }
    default: return text;
  }
}

// Fields that the chosen renderer ignores are hidden and not sent.
const here = page.dataset.renderersHere.split(" ").filter(Boolean);
const chosenRenderer = () => {
  const chosen = form.querySelector('[name="renderer"]:checked')?.value;
  return chosen === "auto" || !chosen ? here[0] : chosen;
};
function showFields() {
  const renderer = chosenRenderer();
  for (const control of form.querySelectorAll("[data-renderers]")) {
    control.hidden = Boolean(renderer) && !control.dataset.renderers.split(" ").includes(renderer);
  }
  for (const note of form.querySelectorAll("[data-renderer-note]")) note.hidden = note.dataset.rendererNote !== renderer;
}

/** The request body. Fields with their default value are left out, so that the code snippets stay short. */
function gather() {
  const input = {};
  for (const picker of filePickers) if (picker.url) input[picker.field] = [picker.url];
  for (const field of form.querySelectorAll("[data-kind]")) {
    if (field.dataset.kind === "choice" && !field.checked) continue;
    if (field.closest("[data-renderers]")?.hidden) continue;
    const isDefault = field.dataset.kind === "choice" ? field.defaultChecked
      : field.dataset.kind === "switch" ? field.checked === field.defaultChecked : field.value === field.defaultValue;
    if (!isDefault || field.name === "resolution") input[field.name] = valueOf(field);
  }
  return { model: page.dataset.model, input };
}

const runButton = form.querySelector("[data-run]");
const acceptsTasks = !("closed" in runButton.dataset);
let affordable = true;
let submitting = false;
function updateRunButton() {
  runButton.disabled = !acceptsTasks || !affordable || submitting;
}

const priceText = form.querySelector("[data-price]");
const priceNote = form.querySelector("[data-price-note]");
let lastRequest = 0;
async function updatePrice() {
  const number = ++lastRequest;
  let body;
  try {
    body = gather();
  } catch (error) {
    return showProblem(error.message, updatePrice);
  }
  const rate = rates[body.input.resolution];
  if (video.seconds && rate) showPrice(rate * Math.max(1, Math.ceil(video.seconds - 0.0005)), "by its duration");
  await new Promise((resolve) => setTimeout(resolve, 150));
  if (number !== lastRequest) return;
  try {
    const cost = await requestJson("/console/price", { method: "POST", body: JSON.stringify(body) });
    if (number !== lastRequest) return;
    affordable = body.input.video_urls ? cost.affordable : cost.balance > 0;
    updateRunButton();
    showSize(cost);
    if (!cost.plays) video.askForProxy?.({ known: true });
    for (const [name, text] of Object.entries(cost.snippets)) document.querySelector(`[data-snippet="${name}"] pre`).textContent = text;
    if (body.input.video_urls) showPrice(cost.credits, cost.affordable ? `of ${format(cost.balance)} available` : `only ${format(cost.balance)} available`);
    else if (!video.seconds) showPrice(null, "per second of video", rate);
    if (problemSource === updatePrice) showProblem("");  // keep a message from running the task
  } catch (error) {
    if (number === lastRequest) showProblem(error.message, updatePrice);
  }
}
const format = (credits) => credits.toLocaleString("en", { maximumFractionDigits: 4 });
function showPrice(credits, note, rate) {
  priceText.textContent = `${format(credits ?? rate)} credits`;
  priceNote.textContent = note;
}

/** The size of the output, once the service knows the file. */
function showSize({ size, resolution }) {
  const note = form.querySelector("[data-size-note]");
  note.hidden = !size;
  if (!size) return;
  const asked = form.querySelector('[name="resolution"]:checked').value;
  const smaller = asked === resolution ? "" : `, priced as ${resolution} because the file is no larger`;
  note.textContent = `Output ${size[0]} × ${size[1]} pixels${smaller}.`;
}

let problemSource = null;  // the function that reported the problem
function showProblem(text, source = null) {
  problemSource = source;
  const note = form.querySelector("[data-problem]");
  note.hidden = !text;
  note.querySelector("[data-problem-text]").textContent = text;
}

// A file dropped outside a drop zone would replace the page.
for (const name of ["dragover", "drop"]) {
  addEventListener(name, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
}

/** The name of a task: that of the video's file, without its ending. */
const titleOf = (name) => name.replace(/\.[^.]+$/, "");

// A request whose response was lost. Running the same form again repeats its idempotency key, so it is charged once.
let unanswered = null;
async function run(body) {
  const words = crypto.getRandomValues(new Uint32Array(4));
  if (unanswered?.body !== body) unanswered = { body, key: [...words].map((word) => word.toString(16)).join("-") };
  try {
    const { task_id: id } = await requestJson("/console/tasks", { method: "POST", body, headers: { "idempotency-key": unanswered.key } });
    unanswered = null;
    return id;
  } catch (error) {
    if (error.status < 500) unanswered = null;
    throw error;
  }
}

form.addEventListener("change", (event) => {
  if (!event.target.dataset.kind) return;
  showFields();
  updatePrice();
  keep();
});

/** Fill the form with `values` by field name and `files` that are already uploaded. */
function fill({ values = {}, files = [] }) {
  for (const field of form.querySelectorAll("[data-kind]")) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.dataset.kind === "choice") field.checked = field.value === String(value);
    else if (field.dataset.kind === "switch") field.checked = value === true;
    else field.value = Array.isArray(value) ? value.join(", ") : value;
  }
  for (const file of files) filePickers.find((picker) => picker.field === file.field)?.adopt(file);
}

/** Keep the inputs, so that Back, a reload and a new sign-in find them again. */
function keep() {
  let values;
  try {
    values = gather().input;
  } catch {
    return;  // a number that is half typed
  }
  for (const picker of filePickers) delete values[picker.field];
  keepDraft(page.dataset.model, { values, files: filePickers.map((picker) => picker.stored()).filter(Boolean) });
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const missing = filePickers.find((picker) => !picker.url);
  if (missing) {
    const text = missing.file ? "Wait until the upload is complete." : missing.kind === "image" ? "Choose a picture of the character first." : "Choose a video first.";
    showProblem(text);
    return missing.input.focus();
  }
  submitting = true;
  updateRunButton();
  try {
    const id = await run(JSON.stringify({ ...gather(), title: titleOf(video.name) }));
    history.replaceState(null, "", `?${new URLSearchParams({ ...query(), task: id })}`);
    await watch(id);
    result.closest("section").scrollIntoView({ block: "nearest" });  // on phones the result is below the button
  } catch (error) {
    showProblem(error.message);
  } finally {
    submitting = false;
    updateRunButton();
  }
});
const query = () => Object.fromEntries(new URLSearchParams(location.search));

let stopWatching = () => {};
async function watch(id) {
  stopWatching();
  const link = page.querySelector("[data-task-link]");
  link.href = `/tasks/${id}`;
  link.hidden = false;
  const { showTask } = await import("./task.js");  // not before there is a task to show
  const stop = await showTask(result, id, () => { showTask(result, id); refreshCredits(); });
  if (result.dataset.shows === id) stopWatching = stop;
  refreshCredits();
}

async function refreshCredits() {
  const { balance } = await requestJson("/console/balance").catch(() => ({}));
  if (balance) for (const place of document.querySelectorAll("[data-balance]")) place.textContent = balance;
  await updatePrice();  // its note shows the balance
}

// Cancel without leaving the page, so that the inputs are kept.
result.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  await requestJson(event.target.action, { method: "POST" }).catch((error) => showProblem(error.message));
});

const prefill = JSON.parse(page.dataset.prefill);
fill(prefill.values ? prefill : readDraft(page.dataset.model));
showFields();
if (page.dataset.task) watch(page.dataset.task);
updatePrice();
