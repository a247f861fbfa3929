// One file on its way to the service: progress, and another try whenever the connection was lost.

const WAITS_SECONDS = [1, 2, 4, 8, 15, 30];

export class UploadRefused extends Error {}

/**
 * PUT `file` to the signed address of `place` ({put_url, view_url}). Whole or not at all: a broken try starts again,
 * and one whose answer alone was lost is recognised as done. `tell({fraction, waiting})`; aborted by `signal`.
 */
export async function upload(file, place, contentType, tell, signal) {
  for (let tries = 0; ; tries++) {
    const status = await put(file, place.put_url, contentType, (fraction) => tell({ fraction, waiting: false }), signal);
    if (status >= 200 && status < 300) return;
    if (tries > 0 && (await isThere(place.view_url, file.size))) return;
    if (status === 403) throw new UploadRefused("The time for this upload is over; choose the file again.");
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw new UploadRefused("The service refused this file.");
    tell({ fraction: 0, waiting: true });
    await pause(WAITS_SECONDS[Math.min(tries, WAITS_SECONDS.length - 1)], signal);
  }
}

/** The answer's status, 0 where the connection was lost. */
function put(file, url, contentType, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();  // fetch cannot tell how far an upload is
    request.open("PUT", url);
    request.setRequestHeader("content-type", contentType);
    request.upload.onprogress = (event) => event.lengthComputable && tell(event.loaded / event.total);
    request.onload = () => resolve(request.status);
    request.onerror = request.ontimeout = () => resolve(0);
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

async function isThere(url, size) {
  const answer = await fetch(url, { method: "HEAD" }).catch(() => null);
  return answer?.ok === true && Number(answer.headers.get("content-length")) === size;
}

/** Some seconds, or until the browser says that it is online again. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener("online", done);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
