// A program on @fal-ai/client: upload, submit, follow, result, cancel, and the errors a caller meets.
import { openAsBlob } from "node:fs";
import { ApiError, ValidationError, createFalClient } from "@fal-ai/client";

const [url, key, poor, slow, image, video, nobody, callback] = process.argv.slice(2);
const MODEL = "fal-ai/wan/v2.2-14b/animate/replace";
const proxyUrl = { url: `${url}/fal/proxy`, when: "always" };
const withKey = (credentials) => createFalClient({ credentials, proxyUrl, retry: { maxRetries: 0 } });
const fal = withKey(key);
const blob = (path, type) => openAsBlob(path, { type });
const input = { video_url: await blob(video, "video/mp4"), image_url: await blob(image, "image/png") };

const updates = [];
const result = await fal.subscribe(MODEL, { input, logs: true, onQueueUpdate: (update) => updates.push(update) });
const uploaded = { video_url: await fal.storage.upload(input.video_url), image_url: await fal.storage.upload(input.image_url) };

const large = new Blob([new Uint8Array(90 * 1024 * 1024 + 1)], { type: "video/mp4" }); // sent in parts

const lost = { ...uploaded, video_url: await blob(nobody, "video/mp4") };
const { request_id: failing } = await fal.queue.submit(MODEL, { input: lost, webhookUrl: callback });
const { request_id: requestId } = await fal.queue.submit(MODEL, { input: { ...uploaded, seed: 7 } });
const stream = await fal.queue.streamStatus(MODEL, { requestId, logs: true, connectionMode: "server" });
await fal.queue.cancel(MODEL, { requestId });
const last = await stream.done();

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    const fields = error instanceof ValidationError ? error.fieldErrors.map((e) => e.loc.at(-1)) : null;
    return { status: error.status, detail: error.body?.detail, fields, known: error instanceof ApiError };
  }
}

const submit = (client, more) => () => client.queue.submit(MODEL, { input: { ...uploaded, ...more } });
await fal.queue.subscribeToStatus(MODEL, { requestId: failing, pollInterval: 200 });
const slowly = (seed) => failure(submit(withKey(slow), { seed }));
const limited = (await slowly(1)) ?? (await slowly(2)); // the first is refused if another test has just used the key
console.log(
  JSON.stringify({
    result,
    large: { url: await fal.storage.upload(large), size: large.size },
    statuses: [...new Set(updates.map((update) => update.status))],
    logs: updates.at(-1).logs.map((line) => line.message),
    cancelled: last,
    failed: await failure(() => fal.queue.result(MODEL, { requestId: failing })),
    cancelledResult: await failure(() => fal.queue.result(MODEL, { requestId })),
    invalid: await failure(submit(fal, { return_frames_zip: true, strange: 1 })),
    wrongKey: await failure(submit(withKey("ak_" + "0".repeat(32)), {})),
    poor: await failure(submit(withKey(poor), {})),
    slow: limited,
    unknown: await failure(() => fal.queue.status(MODEL, { requestId: "no-such-request" })),
  }),
);
