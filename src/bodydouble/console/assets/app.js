// Behaviour of all pages: theme, time zone, menu, copy buttons, confirmation dialog, tabs, live table rows.

const root = document.documentElement;
root.classList.remove("no-js");

function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict${secure}`;
}

// The server formats times in the user's time zone, which it reads from this cookie.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) setCookie("bodydouble_zone", zone);

const THEMES = ["auto", "light", "dark"];
const themeButton = document.querySelector("[data-theme-button]");
themeButton?.addEventListener("click", () => {
  const now = root.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  setCookie("bodydouble_theme", next);
  themeButton.setAttribute("aria-label", `Theme: ${next}`);
  announce(`Theme: ${next}`);
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

/** Announce a text to screen readers. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

/** Send a request to this site and return its JSON. Throws an Error with a message for users. */
export async function requestJson(path, options = {}) {
  const token = document.querySelector('meta[name="csrf"]').content;
  const headers = { ...options.headers, accept: "application/json", "x-csrf-token": token };
  if (options.body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    options.signal?.throwIfAborted();
    throw new Error("The service does not respond. Check the connection and try again.");
  }
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  const data = await response.json().catch(() => ({}));
  if (!response.ok) {
    const message = data.message ?? `The service responded with status ${response.status}.`;
    throw Object.assign(new Error(message), { status: response.status });
  }
  return data;
}

async function copyFrom(button) {
  const text = button.parentElement.querySelector("[data-copy-text]").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // the clipboard API needs HTTPS or localhost
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  announce("Copied");
  const word = button.querySelector("[data-copy-word]");
  if (!word) return;
  word.textContent = "Copied";
  setTimeout(() => (word.textContent = "Copy"), 1500);
}

const dialog = document.getElementById("confirm");
let formToConfirm = null;
function askForConfirmation(form) {
  formToConfirm = form;
  dialog.querySelector("#confirm-title").textContent = form.dataset.confirmTitle;
  dialog.querySelector("[data-confirm-text]").textContent = form.dataset.confirm;
  dialog.querySelector("[data-confirm-yes]").textContent = form.dataset.confirmWord;
  dialog.showModal();
}
dialog?.querySelector("[data-confirm-no]").addEventListener("click", () => dialog.close());
dialog?.querySelector("[data-confirm-yes]").addEventListener("click", () => {
  dialog.close();
  formToConfirm?.submit();
});

// A form is submitted only once: a double click would create two tasks or grants.
const RESUBMIT_MILLISECONDS = 10_000;
let submitted = null;
addEventListener("pageshow", () => (submitted = null));  // the page was restored by the back button
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.confirm) {
    event.preventDefault();
    askForConfirmation(form);
  } else if (form === submitted) event.preventDefault();
  else {
    submitted = form;
    setTimeout(() => (submitted = null), RESUBMIT_MILLISECONDS);  // the user stopped the request
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
// Leave empty fields out of the URL.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-auto-submit]")) return;
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});

for (const tabs of document.querySelectorAll("[data-tabs]")) {
  const buttons = [...tabs.querySelectorAll('[role="tab"]')];
  const select = (selected) => {
    for (const button of buttons) {
      const on = button === selected;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
      document.getElementById(button.getAttribute("aria-controls")).hidden = !on;
    }
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => select(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = buttons[(i + step + buttons.length) % buttons.length];
      select(next);
      next.focus();
    });
  });
}

// A page with a new secret is the response to a form: reloading it must not create another one.
const secret = document.querySelector("[data-forget]");
if (secret) history.replaceState(null, "", secret.dataset.forget);

const rows = document.querySelector("[data-live-rows]:not([data-still])");
if (rows) {
  const address = new URL(location.href);
  address.searchParams.set("part", "rows");
  const refresh = async () => {
    if (document.hidden || rows.contains(document.activeElement)) return;
    const response = await fetch(address).catch(() => null);
    if (response?.redirected) return location.reload();  // the session has ended
    const text = response?.ok ? await response.text().catch(() => null) : null;
    if (text === null) return;
    const fresh = rows.cloneNode();
    fresh.innerHTML = text;
    // Compare with the displayed rows: they may already differ before the first response.
    if (!fresh.isEqualNode(rows)) rows.replaceChildren(...fresh.childNodes);
  };
  // One request at a time: on a slow connection an old response could replace a newer one.
  const schedule = () => setTimeout(() => refresh().finally(schedule), 3000);
  schedule();
}
