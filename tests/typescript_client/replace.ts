// Creates a task with the generated client, follows it and downloads the result.
// Arguments: address of the service, key, picture, video, file to write.

import { readFile, writeFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.ts";

type Task = components["schemas"]["TaskInfoData"];

const [address, key, picture, video, target] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { "x-api-key": key } });

async function upload(path: string, contentType: string, ext: string): Promise<string> {
  const { data, error } = await client.GET("/api/v1/client/files/upload-url", {
    params: { query: { content_type: contentType, ext } },
  });
  if (!data) throw new Error(JSON.stringify(error));
  const { presigned_url: putUrl, file_url: fileUrl } = data.data;
  const stored = await fetch(putUrl, { method: "PUT", body: await readFile(path), headers: { "content-type": contentType } });
  if (!stored.ok) throw new Error(await stored.text());
  return fileUrl;
}

async function create(): Promise<string> {
  const { data, error } = await client.POST("/api/v1/client/job/CreateTask", {
    body: {
      model: "wan/2-2-animate-replace",
      input: {
        img_urls: [await upload(picture, "image/png", ".png")],
        video_urls: [await upload(video, "video/mp4", ".mp4")],
        resolution: "480P",
      },
    },
  });
  if (!data) throw new Error(JSON.stringify(error));
  return data.data.task_id;
}

/** The task's last event. */
async function follow(taskId: string): Promise<Task> {
  const { response } = await client.GET("/api/v1/client/job/TaskEvents", {
    params: { query: { task_id: taskId } },
    parseAs: "stream",
  });
  const text = await response.text();
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return JSON.parse(lines[lines.length - 1].slice("data: ".length));
}

const task = await follow(await create());
const url = task.result?.media_urls?.[0];
if (!url) throw new Error(JSON.stringify(task));
await writeFile(target, Buffer.from(await (await fetch(url)).arrayBuffer()));
console.log(task.status, task.stage);
