// The inputs of the playground, kept in the tab's session storage.

const key = (model) => `draft ${model}`;

/** Keep the inputs of a model. A full or forbidden storage keeps none. */
export function keepDraft(model, draft) {
  try {
    sessionStorage.setItem(key(model), JSON.stringify(draft));
  } catch {
    // The page works without.
  }
}

/** The kept inputs of a model, or an object without any. */
export function readDraft(model) {
  try {
    return JSON.parse(sessionStorage.getItem(key(model))) ?? {};
  } catch {
    return {};
  }
}
