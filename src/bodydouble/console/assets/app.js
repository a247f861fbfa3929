// What every page does: theme, time zone, menu, copying, confirming, tabs, rows that follow along.

const root = document.documentElement;
root.classList.remove("no-js");

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict${secure}`;
}

// The server writes times in the reader's zone; it learns it here.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) remember("bodydouble_zone", zone);

const THEMES = ["auto", "light", "dark"];
const themeButton = document.querySelector("[data-theme-button]");
themeButton?.addEventListener("click", () => {
  const now = root.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  remember("bodydouble_theme", next);
  themeButton.setAttribute("aria-label", `Theme: ${next}`);
  say(`Theme: ${next}`);
});

const side = document.getElementById("side");
const menuButton = document.querySelector("[data-menu]");
menuButton?.addEventListener("click", () => {
  menuButton.setAttribute("aria-expanded", String(side.classList.toggle("open")));
});
side?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !side.classList.contains("open")) return;
  side.classList.remove("open");
  menuButton.setAttribute("aria-expanded", "false");
  menuButton.focus();
});

/** Tell screen readers. */
export function say(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

/** A request to our own pages, as JSON; throws an Error that a person can read. */
export async function ask(path, options = {}) {
  const token = document.querySelector('meta[name="csrf"]').content;
  const headers = { ...options.headers, accept: "application/json", "x-csrf-token": token };
  if (options.body) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    options.signal?.throwIfAborted();
    throw new Error("The service does not answer; check the connection and try again.");
  }
  if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(data.message ?? `The service answered ${answer.status}.`), { status: answer.status });
  return data;
}

async function copyFrom(button) {
  const text = button.parentElement.querySelector("[data-copy-text]").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // plain HTTP under another name than localhost
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say("Copied");
  const word = button.querySelector("[data-copy-word]");
  if (!word) return;
  word.textContent = "Copied";
  setTimeout(() => (word.textContent = "Copy"), 1500);
}

const dialog = document.getElementById("confirm");
let waiting = null;
function confirmFirst(form) {
  waiting = form;
  dialog.querySelector("#confirm-title").textContent = form.dataset.confirmTitle;
  dialog.querySelector("[data-confirm-text]").textContent = form.dataset.confirm;
  dialog.querySelector("[data-confirm-yes]").textContent = form.dataset.confirmWord;
  dialog.showModal();
}
dialog?.querySelector("[data-confirm-no]").addEventListener("click", () => dialog.close());
dialog?.querySelector("[data-confirm-yes]").addEventListener("click", () => {
  dialog.close();
  waiting?.submit();
});

// A form that leads to another page is sent once: pressed twice, a second task or grant would cost twice.
const LEAVING_MILLISECONDS = 10_000;
let leaving = null;
addEventListener("pageshow", () => (leaving = null));  // back again, as it was left
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.confirm) {
    event.preventDefault();
    confirmFirst(form);
  } else if (form === leaving) event.preventDefault();
  else {
    leaving = form;
    setTimeout(() => (leaving = null), LEAVING_MILLISECONDS);  // it was stopped on its way
  }
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) copyFrom(button);
});
document.addEventListener("change", (event) => {
  if (event.target.dataset.go) location.assign(event.target.dataset.go);
  event.target.closest?.("[data-auto-submit]")?.requestSubmit();
});
// Empty fields would only make the address long.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-auto-submit]")) return;
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});

for (const tabs of document.querySelectorAll("[data-tabs]")) {
  const buttons = [...tabs.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const button of buttons) {
      const on = button === chosen;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
      document.getElementById(button.getAttribute("aria-controls")).hidden = !on;
    }
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = buttons[(i + step + buttons.length) % buttons.length];
      choose(next);
      next.focus();
    });
  });
}

document.querySelector("[data-submit-now]")?.requestSubmit();

// A page that shows a secret came from a form: loading it again must not make another one.
const shown = document.querySelector("[data-forget]");
if (shown) history.replaceState(null, "", shown.dataset.forget);

const rows = document.querySelector("[data-live-rows]:not([data-still])");
if (rows) {
  const address = new URL(location.href);
  address.searchParams.set("part", "rows");
  const look = async () => {
    if (document.hidden || rows.contains(document.activeElement)) return;
    const answer = await fetch(address).catch(() => null);
    if (answer?.redirected) return location.reload();  // the session is over
    const text = answer?.ok ? await answer.text().catch(() => null) : null;
    if (text === null) return;
    const fresh = rows.cloneNode();
    fresh.innerHTML = text;
    // Compared with what is shown, not with the last answer: the list may have grown before the first one.
    if (!fresh.isEqualNode(rows)) rows.replaceChildren(...fresh.childNodes);
  };
  // One after the other: on a slow line an older answer would come over a newer one.
  const again = () => setTimeout(() => look().finally(again), 3000);
  again();
}
