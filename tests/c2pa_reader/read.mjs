// Prints what C2PA's library for browsers says about each MP4 file, one JSON object a line.
import { readFile } from "node:fs/promises";
import { initSync, WasmReader } from "@contentauth/c2pa-wasm";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
// The library reads as a browser's worker does. Node has no FileReaderSync, so blobs keep their bytes.
class Bytes extends Blob {
  constructor(bytes) {
    super([bytes]);
    this.content = bytes;
  }
  slice(start, end) {
    return new Bytes(this.content.slice(start, end));
  }
}
globalThis.FileReaderSync = class {
  readAsArrayBuffer(blob) {
    return new Uint8Array(blob.content).buffer;
  }
};
initSync({ module: await readFile(require.resolve("@contentauth/c2pa-wasm/c2pa.wasm")) });
for (const path of process.argv.slice(2)) {
  const reader = await WasmReader.fromBlob("video/mp4", new Bytes(await readFile(path)));
  const store = JSON.parse(reader.json());
  console.log(
    JSON.stringify({
      state: store.validation_state,
      codes: (store.validation_status ?? []).map((status) => status.code),
      ingredients: store.manifests[store.active_manifest].ingredients.length,
    }),
  );
}
