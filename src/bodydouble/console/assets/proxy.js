// Videos that this browser cannot play: the service makes a small copy that it can.

import { requestJson } from "./app.js";

/**
 * Let `video` play a copy of `fileUrl` if it cannot play its own source. `tell` receives a text for the user, or "".
 * Returns a function that asks for the copy if the player has failed; with `known`, also if it shows nothing yet.
 */
export function withProxy(video, fileUrl, tell) {
  let asked = false;
  const ask = async () => {
    const url = fileUrl();
    if (asked || !url) return;
    asked = true;
    tell("This browser cannot play the file. A copy is being made …");
    try {
      const copy = await requestJson(`/console/proxy?video=${encodeURIComponent(url)}`, { method: "POST" });
      video.addEventListener("loadeddata", () => tell(""), { once: true });
      video.src = copy.url;
      video.load();
    } catch (error) {
      tell(`This browser cannot play the file. ${error.message}`);
    }
  };
  let failed = Boolean(video.error);
  const fail = () => {
    if (asked) return tell("This browser cannot play the file or its copy.");
    failed = true;
    tell("This browser cannot play the file. The service may still support it.");
    return ask();
  };
  video.addEventListener("error", fail);
  // Some browsers play the sound of such a file, without any picture.
  video.addEventListener("loadedmetadata", () => video.videoWidth || fail());
  if (failed) fail();
  return ({ known = false } = {}) => (failed || (known && !video.videoWidth)) && ask();
}
