// One task's picture and progress: follows its events, then shows the result.

import { ask, say } from "./app.js";
import { startCompare } from "./compare.js";

/** Fill `box` with the panel of a task, until it is asked for another, and tell `onOver` once it is over. Answers how to stop. */
export async function showTask(box, taskId, onOver) {
  box.dataset.shows = taskId;
  const answer = await fetch(`/tasks/${taskId}?part=panel`).catch(() => null);
  if (answer?.redirected) location.reload();  // the session is over: the way to the sign-in is the page's
  const panel = answer?.ok && !answer.redirected ? await answer.text().catch(() => null) : null;
  if (box.dataset.shows !== taskId) return () => {};
  fill(box, panel, answer?.status);
  return follow(box, taskId, onOver);
}

function fill(box, panel, status) {
  if (panel === null) {
    const text = status === 404 ? "There is no such task any more." : "The task cannot be shown at the moment; load the page again.";
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "note error", role: "alert", textContent: text }));
    return;
  }
  box.innerHTML = panel;
  enliven(box);
}

function enliven(box) {
  for (const compare of box.querySelectorAll("[data-compare]")) startCompare(compare);
  const quality = box.querySelector("[data-quality]");
  quality?.addEventListener("toggle", () => quality.open && quality.dataset.measured === undefined && measure(quality));
}

async function measure(quality) {
  const state = quality.querySelector("[data-quality-state]");
  const report = quality.querySelector(".report");
  quality.dataset.measured = "";
  try {
    const { rows } = await ask(quality.dataset.quality, { method: "POST" });
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
    state.textContent = `${error.message} Close and open this report to try again.`;
    delete quality.dataset.measured;
  }
}

function follow(box, taskId, onOver) {
  if (!box.querySelector('[data-state="pending"], [data-state="running"]')) return () => {};
  let events = null, shownVersion = null;
  const open = () => {
    events = new EventSource(`/tasks/${taskId}/events`);
    events.onerror = () => {
      const place = box.querySelector("[data-place]");
      if (!place) return;
      place.textContent = events.readyState === EventSource.CLOSED
        ? "This page does not follow the task any more; load it again." : "The connection was lost; looking again …";
    };
    events.onmessage = ({ data }) => {
      const task = JSON.parse(data);
      update(box, task, shownVersion);
      shownVersion = task.version;
      if (!task.over) return;
      stop();
      say(`The task is over: ${task.word}`);
      onOver?.();
    };
  };
  // A browser has six connections to a host: tabs that nobody looks at hold none of them.
  const turn = () => {
    events?.close();
    if (!document.hidden) open();
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", turn);
    events?.close();
  };
  document.addEventListener("visibilitychange", turn);
  turn();
  return stop;
}

function update(box, task, shownVersion) {
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
  if (!part("stage").textContent.startsWith(task.stage)) say(`${task.stage}, ${percent} %`);
  part("stage").textContent = stage;
  const place = task.queue_position;
  part("place").textContent = place === null ? "\u00a0" : place === 0 ? "Next in the queue" : `${place} before it in the queue`;
  if (task.preview_url && task.version !== shownVersion) {
    const picture = part("preview");
    picture.src = task.preview_url;
    picture.hidden = false;
    box.querySelector(".silhouette")?.remove();
  }
}

const panel = document.querySelector("[data-task-panel]");
if (panel) {
  enliven(panel);
  // The page around it has a timeline and a log that are over too: the whole page is shown anew.
  if ("follow" in panel.dataset) follow(panel, panel.dataset.taskPanel, () => location.reload());
}
