// A program on wavespeed: upload, run, follow, a webhook, cancel elsewhere, and the errors a caller meets.
import { Client } from "wavespeed";

const [url, key, poor, slow, image, video, nobody, callback] = process.argv.slice(2);
const MODEL = "wavespeed-ai/wan-2.2/animate";
const withKey = (apiKey) => new Client(apiKey, { baseUrl: `${url}/wavespeed`, maxConnectionRetries: 0 });
const client = withKey(key);
const elsewhere = { image: "https://example.com/a.png", video: "https://example.com/v.mp4", mode: "replace" };

const input = { image: await client.upload(image), video: await client.upload(video), mode: "replace" };
const done = await client.run(`${MODEL}?webhook=${callback}`, input, { pollInterval: 0.2 });
const lost = await client.runNoThrow(MODEL, { ...input, video: await client.upload(nobody) }, { pollInterval: 0.2 });

async function failure(caller, more) {
  return String((await caller.runNoThrow(MODEL, { ...elsewhere, ...more })).detail.error);
}

async function refusal(call) {
  try {
    await call();
    return "";
  } catch (error) {
    return error.message;
  }
}

const [cancelled] = await client._submit(MODEL, elsewhere);
const cancel = `${url}/api/v1/client/job/CancelTask?task_id=${cancelled}`;
await fetch(cancel, { method: "POST", headers: { "x-api-key": key } });
const submitSlowly = () => withKey(slow)._submit(MODEL, elsewhere);
const limited = (await refusal(submitSlowly)) || (await refusal(submitSlowly)); // the first: if another test used the key
console.log(
  JSON.stringify({
    outputs: done.outputs,
    failed: { status: lost.detail.status, message: String(lost.detail.error) },
    cancelled: await refusal(() => client._wait(cancelled, 60, 0.2)),
    slow: limited,
    unknown: await refusal(() => client._getResult("no-such-prediction")),
    wrongKey: await failure(withKey(`ak_${"0".repeat(32)}`)),
    poor: await failure(withKey(poor)),
    invalid: await failure(client, { resolution: "1080p" }),
  }),
);
