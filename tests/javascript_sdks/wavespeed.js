// A program on wavespeed: upload, run, follow, and the errors a caller meets.
import { Client } from "wavespeed";

const [url, key, poor, slow, image, video] = process.argv.slice(2);
const MODEL = "wavespeed-ai/wan-2.2/animate";
const withKey = (apiKey) => new Client(apiKey, { baseUrl: `${url}/wavespeed`, maxConnectionRetries: 0 });
const client = withKey(key);
const elsewhere = { image: "https://example.com/a.png", video: "https://example.com/v.mp4", mode: "replace" };

const input = { image: await client.upload(image), video: await client.upload(video), mode: "replace" };
const done = await client.run(MODEL, input, { pollInterval: 0.2 });

async function failure(caller, more) {
  return String((await caller.runNoThrow(MODEL, { ...elsewhere, ...more })).detail.error);
}

console.log(
  JSON.stringify({
    outputs: done.outputs,
    wrongKey: await failure(withKey(`ak_${"0".repeat(32)}`)),
    poor: await failure(withKey(poor)),
    invalid: await failure(client, { resolution: "1080p" }),
  }),
);
