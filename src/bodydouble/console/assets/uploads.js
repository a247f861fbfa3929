// One file on its way to the service: in pieces that go on where the connection broke, or whole into a bucket.

const WAITS_SECONDS = [1, 2, 4, 8, 15, 30];
const PIECE_BYTES = 4 * 1024 * 1024;  // what a proxy that holds bodies back can lose at once
const TUS = { "tus-resumable": "1.0.0" };
const OVER = [403, 404, 410];  // what an address answers whose time is over

export class UploadRefused extends Error {}
export class UploadExpired extends Error {}

/**
 * Send `file` to `place` ({resumable_url, put_url, view_url}) and try again for as long as the connection is lost.
 * `tell({sent, waiting})` in bytes; aborted by `signal`. Throws UploadExpired, UploadRefused.
 */
export async function upload(file, place, contentType, tell, signal) {
  const once = place.resumable_url ? sendPieces : sendWhole;
  for (let failures = 0; ; failures++) {
    let reached = 0;
    const sent = (bytes) => {
      if (bytes > reached) failures = 0;  // it moves: the next break is a first one again
      tell({ sent: (reached = bytes), waiting: false });
    };
    const status = await once(file, place, contentType, sent, signal, failures > 0);
    if (status >= 200 && status < 300) return;
    if (OVER.includes(status)) throw new UploadExpired("The time for this upload is over; choose the file again.");
    if (status === 507) throw new UploadRefused("The service has no room for this file at the moment.");
    if (status === 0 && !(await isReadable(file))) throw new UploadRefused("The file has changed or is gone; choose it again.");
    if (status >= 400 && status < 500 && ![408, 409, 429].includes(status)) throw new UploadRefused("The service refused this file.");
    tell({ sent: reached, waiting: true });
    await pause(WAITS_SECONDS[Math.min(failures, WAITS_SECONDS.length - 1)], signal);
  }
}

/** By the tus protocol (1.0.0, core): ask what is there, send what follows. */
async function sendPieces(file, place, contentType, sent, signal) {
  const told = await send("HEAD", place.resumable_url, TUS, null, () => {}, signal);
  if (told.status !== 200) return told.status;
  let offset = Number(told.header("upload-offset"));
  sent(offset);
  while (offset < file.size) {
    const headers = { ...TUS, "upload-offset": offset, "content-type": "application/offset+octet-stream" };
    const piece = file.slice(offset, offset + PIECE_BYTES);
    const answer = await send("PATCH", place.resumable_url, headers, piece, (bytes) => sent(offset + bytes), signal);
    if (answer.status !== 204) return answer.status;
    offset = Number(answer.header("upload-offset"));
  }
  return 204;
}

/** A bucket takes a file in one piece; one whose answer alone was lost is recognised as there. */
async function sendWhole(file, place, contentType, sent, signal, again) {
  if (again && (await isThere(place.view_url, file.size))) return 200;
  return (await send("PUT", place.put_url, { "content-type": contentType }, file, sent, signal)).status;
}

/** An answer's status, 0 where the connection was lost, and its headers. */
function send(method, url, headers, body, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();  // fetch cannot tell how far an upload is
    const abort = () => request.abort();
    const end = () => {
      signal.removeEventListener("abort", abort);
      resolve({ status: request.status, header: (name) => request.getResponseHeader(name) });
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => tell(event.loaded);
    request.onload = request.onerror = request.ontimeout = end;
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    request.send(body);
  });
}

async function isThere(url, size) {
  const answer = await fetch(url, { method: "HEAD" }).catch(() => null);
  return answer?.ok === true && Number(answer.headers.get("content-length")) === size;
}

const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

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

/** Where this file was on its way to in this tab before: a page that was loaded anew goes on with it. */
export const remembered = (file) => JSON.parse(sessionStorage.getItem(nameOf(file)));
export const remember = (file, place) => place.resumable_url && sessionStorage.setItem(nameOf(file), JSON.stringify(place));
export const forget = (file) => sessionStorage.removeItem(nameOf(file));

// Of one session alone: the next one may be somebody else's.
const nameOf = (file) => [document.querySelector('meta[name="csrf"]').content, file.name, file.size, file.lastModified].join("/");
