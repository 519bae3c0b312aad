// @ts-check
/** How a file is shown, by its name. */

/** @typedef {"image" | "audio" | "video" | "csv" | "parquet" | "json" | "markdown" | "html" | "patch" | "log" | "mlmodel" | "pdf" | "text" | "none"} Kind */

/** A map: names of files may be anything. @type {Map<string, Kind>} */
const KINDS = new Map();
for (const [kind, endings] of /** @type {[Kind, string][]} */ ([
  ["image", "png jpg jpeg gif webp avif bmp ico svg apng"],
  ["audio", "wav mp3 ogg oga flac m4a aac opus"],
  ["video", "mp4 webm ogv mov m4v"],
  ["csv", "csv tsv tab"],
  ["parquet", "parquet pq"],
  ["json", "json geojson ipynb"],
  ["markdown", "md markdown"],
  ["html", "html htm"],
  ["patch", "patch diff"],
  ["log", "log out err"],
  ["pdf", "pdf"],
  ["none", "pt pth bin pkl pickle joblib npy npz h5 hdf5 onnx safetensors ckpt gz bz2 xz zst zip tar tgz whl so dll exe skops keras tflite pb feather arrow db sqlite"],
])) {
  for (const ending of endings.split(" ")) KINDS.set(ending, kind);
}

/** @param {string} path @returns {Kind} */
export function kindOf(path) {
  const name = path.split("/").pop() ?? "";
  if (name === "MLmodel") return "mlmodel";
  const ending = /\.([^.]+)$/.exec(name)?.[1].toLowerCase();
  return (ending && KINDS.get(ending)) || "text";
}

/** The path of an image that a text shows: only one among the same artifacts; "" for others.
 * @param {string} source as the text says it @param {string} [path] of the text */
export function imageBeside(source, path = "") {
  if (/^[a-z][a-z0-9+.-]*:|^\/|[\\]/i.test(source) || kindOf(source) !== "image") return "";
  const parts = path.split("/").slice(0, -1);
  for (const part of source.split("/")) {
    if (part === "..") {
      if (!parts.length) return "";
      parts.pop();
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Whether bytes that begin a file are those of a text. @param {Uint8Array} bytes */
export function looksBinary(bytes) {
  const part = bytes.subarray(0, 4096);
  let odd = 0;
  for (const byte of part) {
    if (byte === 0) return true;
    if (byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32)) odd += 1;
  }
  return odd > part.length / 10;
}
