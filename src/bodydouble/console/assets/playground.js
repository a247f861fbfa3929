// Choose, see the price, run, watch, compare.

import { ask, say } from "./app.js";
import { Drop } from "./drop.js";
import { People } from "./people.js";
import { showTask } from "./task.js";

const bench = document.querySelector("[data-playground]");
const form = bench.querySelector("[data-recipe]");
const result = bench.querySelector("[data-result]");
const person = form.querySelector('[data-kind="person"]');
const rates = Object.fromEntries([...form.querySelectorAll("[data-rate]")].map((r) => [r.dataset.rate, Number(r.value)]));

let people = null;
const drops = [...form.querySelectorAll("[data-drop]")].map((root) => new Drop(root, changed));
const video = drops.find((drop) => drop.kind === "video");
if (person) {
  people = new People(video.root.querySelector(".people"), form.querySelector("[data-people-note]"), (index, point) => {
    person.value = point.map((part) => part.toFixed(4)).join(", ");
    say(`Person ${index + 1} is chosen`);
    price();
  });
}

function changed(drop) {
  problem("");
  if (drop === video && people) {
    if (drop.url) people.look(drop);
    else if (!drop.file) {
      people.clear();
      person.value = "0";
    }
  }
  price();
}

/** What a field says, as the schema wants it; an error names the field. */
function valueOf(field) {
  const text = field.value.trim();
  switch (field.dataset.kind) {
    case "switch": return field.checked;
    case "integer": case "number": {
      const number = Number(text);
      if (!text || Number.isNaN(number)) throw new Error(`${field.name}: has to be a number`);
      return number;
    }
    case "person": {
      if (!text.includes(",")) return Number(text || 0);
      return text.split(",").map(Number);
    }
    default: return text;
  }
}

/** The model's input: what differs from the defaults, so that the request stays readable. */
function gather() {
  const input = {};
  for (const drop of drops) if (drop.url) input[drop.field] = [drop.url];
  for (const field of form.querySelectorAll("[data-kind]")) {
    if (field.dataset.kind === "choice" && !field.checked) continue;
    const standard = field.dataset.kind === "choice" ? field.defaultChecked
      : field.dataset.kind === "switch" ? field.checked === field.defaultChecked : field.value === field.defaultValue;
    if (!standard || field.name === "resolution") input[field.name] = valueOf(field);
  }
  return { model: bench.dataset.model, input };
}

const priceText = form.querySelector("[data-price]");
const priceNote = form.querySelector("[data-price-note]");
let asked = 0;
async function price() {
  const number = ++asked;
  let body;
  try {
    body = gather();
  } catch (error) {
    return problem(error.message, price);
  }
  const rate = rates[body.input.resolution];
  if (video.seconds && rate) show(rate * Math.max(1, Math.ceil(video.seconds - 0.0005)), "");
  await new Promise((resolve) => setTimeout(resolve, 150));
  if (number !== asked) return;
  try {
    const cost = await ask("/console/price", { method: "POST", body: JSON.stringify(body) });
    if (number !== asked) return;
    for (const name of ["curl", "python"]) document.querySelector(`[data-snippet="${name}"] pre`).textContent = cost[name];
    if (body.input.video_urls) show(cost.credits, cost.affordable ? `of ${format(cost.balance)} available` : `only ${format(cost.balance)} available`);
    else if (!video.seconds) show(null, "a second of video", rate);
    if (problemOf === price) problem("");  // what the run said stays
  } catch (error) {
    if (number === asked) problem(error.message, price);
  }
}
const format = (credits) => credits.toLocaleString("en", { maximumFractionDigits: 4 });
function show(credits, note, rate) {
  priceText.textContent = `${format(credits ?? rate)} credits`;
  if (note) priceNote.textContent = note;
}

let problemOf = null;  // who told it
function problem(text, teller = null) {
  problemOf = teller;
  const note = form.querySelector("[data-problem]");
  note.hidden = !text;
  note.querySelector("[data-problem-text]").textContent = text;
}

// A file that misses its place would be opened instead of the page.
for (const name of ["dragover", "drop"]) {
  addEventListener(name, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
}

// A run whose answer was lost: pressed again as it is, it is the same one and costs once.
let unanswered = null;
async function run(body) {
  const words = crypto.getRandomValues(new Uint32Array(4));
  if (unanswered?.body !== body) unanswered = { body, key: [...words].map((word) => word.toString(16)).join("-") };
  try {
    const { task_id: id } = await ask("/console/tasks", { method: "POST", body, headers: { "idempotency-key": unanswered.key } });
    unanswered = null;
    return id;
  } catch (error) {
    if (error.status < 500) unanswered = null;
    throw error;
  }
}

form.addEventListener("change", (event) => event.target.dataset.kind && price());
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const missing = drops.find((drop) => !drop.url);
  if (missing) {
    problem(missing.file ? "The upload is not through yet; run it once it is." : missing.kind === "image" ? "Choose a picture of the character first." : "Choose a video first.");
    return missing.input.focus();
  }
  const button = form.querySelector("[data-run]");
  button.disabled = true;
  try {
    const id = await run(JSON.stringify(gather()));
    history.replaceState(null, "", `?${new URLSearchParams({ ...query(), task: id })}`);
    await watch(id);
    result.closest("section").scrollIntoView({ block: "nearest" });  // on a phone it is below the button
  } catch (error) {
    problem(error.message);
  } finally {
    button.disabled = false;
  }
});
const query = () => Object.fromEntries(new URLSearchParams(location.search));

let stop = () => {};
async function watch(id) {
  stop();
  const link = bench.querySelector("[data-task-link]");
  link.href = `/tasks/${id}`;
  link.hidden = false;
  const ended = await showTask(result, id, () => { showTask(result, id); refreshCredits(); });
  if (result.dataset.shows === id) stop = ended;
  refreshCredits();
}

async function refreshCredits() {
  const { balance } = await ask("/console/balance").catch(() => ({}));
  if (balance) for (const place of document.querySelectorAll("[data-balance]")) place.textContent = balance;
  await price();  // beside the price stands what is left
}

// Cancelling keeps the page: the inputs are still there for another go.
result.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  await ask(event.target.action, { method: "POST" }).catch((error) => problem(error.message));
});

if (bench.dataset.task) watch(bench.dataset.task);
price();
