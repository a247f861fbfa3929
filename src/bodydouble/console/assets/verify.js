// The page that reports what a file says about its origin.

import { requestJson } from "./app.js";

const input = document.querySelector("[data-verify]");
const state = document.querySelector("[data-verify-state]");
const rows = document.querySelector("[data-verify-rows]");
let newest = 0;

input.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  const asked = ++newest;  // a slower answer to an earlier file is not shown
  rows.replaceChildren();
  state.textContent = "The file is being read …";
  try {
    const marks = await requestJson("/verify", { method: "POST", body: file });
    if (asked === newest) show(marks);
  } catch (error) {
    if (asked === newest) state.textContent = error.message;
  }
});

/** Show the answer. All of it is text: files can say anything. */
function show(marks) {
  state.textContent = marks.conclusion;
  for (const { name, lines } of marks.rows) {
    const value = element("dd", "");
    value.append(...lines.map((line) => element("div", line)));
    rows.append(element("dt", name), value);
  }
  if (!marks.task_id) return;
  const link = element("a", "the task that made it");
  link.href = `/tasks/${marks.task_id}`;
  const value = element("dd", "");
  value.append(link);
  rows.append(element("dt", "Yours"), value);
}

function element(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}
