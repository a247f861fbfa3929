// A program on replicate: run with uploads, follow, cancel, list, a webhook's signature, and the errors a caller meets.
import { readFile } from "node:fs/promises";
import { openAsBlob } from "node:fs";
import Replicate, { parseProgressFromLogs, validateWebhook } from "replicate";

const [url, key, poor, slow, image, video, callback, nobody] = process.argv.slice(2);
const MODEL = "wan-video/wan-2.2-animate-replace";
const withKey = (auth) => new Replicate({ auth, baseUrl: `${url}/replicate/v1` });
const replicate = withKey(key);
const input = {
  video: await openAsBlob(video, { type: "video/mp4" }),
  character_image: await openAsBlob(image, { type: "image/png" }),
  resolution: "480",
};

const states = [];
const output = await replicate.run(MODEL, { input, wait: { mode: "poll", interval: 200 } }, (p) => states.push(p));
const bytes = (await (await output.blob()).arrayBuffer()).byteLength;
const uploaded = { ...states.at(-1).input };

const started = await replicate.predictions.create({ model: MODEL, input: { ...uploaded, seed: 7 } });
const cancelled = await replicate.predictions.cancel(started.id);
const listed = await replicate.predictions.list();

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { status: error.response?.status, message: error.message };
  }
}

const create = (client, more) => () => client.predictions.create({ model: MODEL, input: { ...uploaded, ...more } });
const lost = { ...input, video: await openAsBlob(nobody, { type: "video/mp4" }) };
const slowly = (seed) => failure(create(withKey(slow), { seed }));
const limited = (await slowly(1)) ?? (await slowly(2)); // the first is refused if another test has just used the key
const secret = (await replicate.webhooks.default.secret.get()).key;
const { headers, body } = JSON.parse(await readFile(callback, "utf8"));
console.log(
  JSON.stringify({
    bytes,
    states: [...new Set(states.map((prediction) => prediction.status))],
    progress: parseProgressFromLogs(states.at(-1)),
    cancelled: (await replicate.wait(cancelled, {})).status,
    listed: listed.results.map((prediction) => prediction.id).includes(started.id),
    signed: await validateWebhook({ headers, body }, secret),
    model: (await replicate.models.get("wan-video", "wan-2.2-animate-replace")).latest_version.id,
    account: (await replicate.accounts.current()).username,
    invalid: await failure(create(replicate, { resolution: "580" })),
    wrongKey: await failure(create(withKey("ak_" + "0".repeat(32)), {})),
    poor: await failure(create(withKey(poor), {})),
    slow: limited,
    failed: await failure(() => replicate.run(MODEL, { input: lost, wait: { mode: "poll", interval: 200 } })),
    unknown: await failure(() => replicate.predictions.get("no-such-prediction")),
  }),
);
