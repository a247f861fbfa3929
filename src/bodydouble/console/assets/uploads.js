// Upload of one file: resumable in pieces to the service, or in one request to a bucket.

const WAITS_SECONDS = [1, 2, 4, 8, 15, 30];
const PIECE_BYTES = 4 * 1024 * 1024;  // the most that is lost when a buffering proxy fails
const TUS = { "tus-resumable": "1.0.0" };
const EXPIRED_STATUSES = [403, 404, 410];

export class UploadRefused extends Error {}
export class UploadExpired extends Error {}

/**
 * Upload `file` to `target` ({resumable_url, put_url, view_url}). Retries while the connection is lost.
 * Calls `onProgress({sent, waiting})` with bytes; `signal` aborts. Throws UploadExpired, UploadRefused.
 */
export async function upload(file, target, contentType, onProgress, signal) {
  const attempt = target.resumable_url ? sendPieces : sendWhole;
  for (let failures = 0; ; failures++) {
    let bytesSent = 0;
    const onSent = (bytes) => {
      if (bytes > bytesSent) failures = 0;  // progress: the next failure waits shortly again
      onProgress({ sent: (bytesSent = bytes), waiting: false });
    };
    const status = await attempt(file, target, contentType, onSent, signal, failures > 0);
    if (status >= 200 && status < 300) return;
    if (EXPIRED_STATUSES.includes(status)) throw new UploadExpired("The upload has expired. Choose the file again.");
    if (status === 507) throw new UploadRefused("The service has no storage space for this file at the moment.");
    if (status === 0 && !(await isReadable(file))) throw new UploadRefused("The file was changed or removed. Choose it again.");
    if (status >= 400 && status < 500 && ![408, 409, 429].includes(status)) throw new UploadRefused("The service rejected this file.");
    onProgress({ sent: bytesSent, waiting: true });
    await pause(WAITS_SECONDS[Math.min(failures, WAITS_SECONDS.length - 1)], signal);
  }
}

/** Resumable upload with the tus protocol (1.0.0, core): read the offset, then append pieces. */
async function sendPieces(file, target, contentType, onSent, signal) {
  const head = await send("HEAD", target.resumable_url, TUS, null, () => {}, signal);
  if (head.status !== 200) return head.status;
  let offset = Number(head.header("upload-offset"));
  onSent(offset);
  while (offset < file.size) {
    const headers = { ...TUS, "upload-offset": offset, "content-type": "application/offset+octet-stream" };
    const piece = file.slice(offset, offset + PIECE_BYTES);
    const response = await send("PATCH", target.resumable_url, headers, piece, (bytes) => onSent(offset + bytes), signal);
    if (response.status !== 204) return response.status;
    offset = Number(response.header("upload-offset"));
  }
  return 204;
}

/** Upload to a bucket in one request. If only the response was lost, the stored file is recognised. */
async function sendWhole(file, target, contentType, onSent, signal, isRetry) {
  if (isRetry && (await isStored(target.view_url, file.size))) return 200;
  return (await send("PUT", target.put_url, { "content-type": contentType }, file, onSent, signal)).status;
}

/** Returns the status (0 if the connection was lost) and the headers of the response. */
function send(method, url, headers, body, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();  // fetch has no upload progress
    const abort = () => request.abort();
    const end = () => {
      signal.removeEventListener("abort", abort);
      resolve({ status: request.status, header: (name) => request.getResponseHeader(name) });
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = request.onerror = request.ontimeout = end;
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    request.send(body);
  });
}

async function isStored(url, size) {
  const response = await fetch(url, { method: "HEAD" }).catch(() => null);
  return response?.ok === true && Number(response.headers.get("content-length")) === size;
}

const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

/** Wait some seconds, or until the browser is online again. */
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

/** The upload target of this file in this tab, kept so that a reloaded page continues the upload. */
export const remembered = (file) => JSON.parse(sessionStorage.getItem(nameOf(file)));
export const remember = (file, target) => target.resumable_url && sessionStorage.setItem(nameOf(file), JSON.stringify(target));
export const forget = (file) => sessionStorage.removeItem(nameOf(file));

// The key contains the session's CSRF token: another user of this browser must not see the upload.
const nameOf = (file) => [document.querySelector('meta[name="csrf"]').content, file.name, file.size, file.lastModified].join("/");
