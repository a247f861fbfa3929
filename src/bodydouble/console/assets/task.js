// The panel of one task: live progress from its event stream, then the result.

import { requestJson, announce } from "./app.js";
import { withProxy } from "./proxy.js";
import { startCompare } from "./compare.js";
import { GrowingPreview } from "./growing-preview.js";

/** Show the panel of a task in `box` and follow it. Calls `onEnd` when the task ends. Returns a function that stops following. */
export async function showTask(box, taskId, onEnd) {
  box.dataset.shows = taskId;
  const response = await fetch(`/tasks/${taskId}?part=panel`).catch(() => null);
  if (response?.redirected) location.reload();  // the session has ended: reloading redirects to the sign-in page
  const panel = response?.ok && !response.redirected ? await response.text().catch(() => null) : null;
  if (box.dataset.shows !== taskId) return () => {};
  fill(box, panel, response?.status);
  return follow(box, taskId, onEnd);
}

function fill(box, panel, status) {
  if (panel === null) {
    const text = status === 404 ? "This task no longer exists." : "The task cannot be shown now. Reload the page.";
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "note error", role: "alert", textContent: text }));
    return;
  }
  box.innerHTML = panel;
  addBehaviour(box);
}

function addBehaviour(box) {
  for (const video of box.querySelectorAll("video[data-file]")) {
    const note = Object.assign(document.createElement("p"), { className: "muted small", hidden: true });
    note.setAttribute("role", "status");
    (video.closest("[data-compare]") ?? video).after(note);
    withProxy(video, () => video.dataset.file, (text) => {
      note.textContent = text;
      note.hidden = !text;
    });
  }
  for (const compare of box.querySelectorAll("[data-compare]")) startCompare(compare);
  const quality = box.querySelector("[data-quality]");
  quality?.addEventListener("toggle", () => quality.open && quality.dataset.measured === undefined && measure(quality));
}

async function measure(quality) {
  const state = quality.querySelector("[data-quality-state]");
  const report = quality.querySelector(".report");
  quality.dataset.measured = "";
  try {
    const { rows } = await requestJson(quality.dataset.quality, { method: "POST" });
    report.replaceChildren(...rows.map((row) => {
      const [line, name, cell, value, meaning] = ["div", "dt", "dd", "strong", "span"].map((tag) => document.createElement(tag));
      name.textContent = row.label;
      value.textContent = row.value;
      meaning.textContent = row.meaning;
      cell.append(value, meaning);
      line.append(name, cell);
      return line;
    }));
    report.hidden = false;
    state.hidden = true;
  } catch (error) {
    state.textContent = `${error.message} Close and open the report to try again.`;
    delete quality.dataset.measured;
  }
}

function follow(box, taskId, onEnd) {
  if (!box.querySelector('[data-state="pending"], [data-state="running"]')) return () => {};
  let events = null, shownVersion = null;
  const preview = new GrowingPreview(box.querySelector(".screen"));
  const open = () => {
    events = new EventSource(`/tasks/${taskId}/events`);
    events.onerror = () => {
      const place = box.querySelector("[data-place]");
      if (!place) return;
      place.textContent = events.readyState === EventSource.CLOSED
        ? "This page no longer follows the task. Reload it." : "Connection lost; reconnecting …";
    };
    events.onmessage = ({ data }) => {
      const task = JSON.parse(data);
      update(box, task);
      if (task.preview_url && task.version !== shownVersion) preview.showPicture(task.preview_url);
      if (task.preview_video_url) preview.showVideo(task.preview_video_url);
      shownVersion = task.version;
      if (!task.over) return;
      stop();
      announce(`Task ended: ${task.word}`);
      onEnd?.();
    };
  };
  // Browsers open at most six connections to a host, so hidden tabs must not hold one.
  const onVisibilityChange = () => {
    events?.close();
    if (!document.hidden) open();
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", onVisibilityChange);
    events?.close();
  };
  document.addEventListener("visibilitychange", onVisibilityChange);
  onVisibilityChange();
  return stop;
}

/** Text of a number of seconds: `75` as `1 min 15 s`. */
function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`
    : `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** Elapsed time, counted on between two events, and the remaining time that the service expects. */
function startClock(box, task) {
  clearInterval(box.clock);
  const place = box.querySelector("[data-clock]");
  if (!place || task.elapsed_seconds === null) return;
  const startedAt = performance.now() - task.elapsed_seconds * 1000;
  const remainingAt = task.remaining_seconds === null ? null : performance.now() + task.remaining_seconds * 1000;
  const show = () => {
    if (!place.isConnected) return clearInterval(box.clock);
    const now = performance.now();
    const left = remainingAt === null ? "" : `, about ${duration(Math.max(1, (remainingAt - now) / 1000))} left`;
    place.textContent = `${duration((now - startedAt) / 1000)} elapsed${left}`;
  };
  show();
  box.clock = setInterval(show, 1000);
}

function showLog(box, log) {
  const list = box.querySelector("[data-log]");
  list?.replaceChildren(...log.map(({ stage, seconds }) => {
    const [row, name, time] = ["li", "span", "span"].map((tag) => document.createElement(tag));
    name.textContent = stage;
    time.textContent = seconds === null ? "…" : duration(seconds);
    time.className = "num";
    row.append(name, time);
    return row;
  }));
}

function update(box, task) {
  for (const pill of document.querySelectorAll("[data-status]")) {
    pill.textContent = task.word;
    pill.className = `pill ${task.kind}`;
  }
  const part = (name) => box.querySelector(`[data-${name}]`);
  if (!part("progress")) return;
  const percent = Math.floor(task.fraction * 100);
  part("progress").value = task.fraction;
  part("percent").textContent = `${percent} %`;
  const stage = task.segments ? `${task.stage}, segment ${task.segment} of ${task.segments}` : task.stage;
  if (!part("stage").textContent.startsWith(task.stage)) announce(`${task.stage}, ${percent} %`);
  part("stage").textContent = stage;
  startClock(box, task);
  showLog(box, task.log);
  const place = task.queue_position;
  part("place").textContent = place === null ? "" : place === 0 ? "Next in the queue" : `${place} tasks ahead in the queue`;
}

const panel = document.querySelector("[data-task-panel]");
if (panel) {
  addBehaviour(panel);
  // The timeline and the callback log of the page change too, so reload the whole page.
  if ("follow" in panel.dataset) follow(panel, panel.dataset.taskPanel, () => location.reload());
}
