// Prepares a photo for its upload. What the server reads is sent as it is. What
// only the browser can decode, or what is too large for the server, becomes a JPEG.

import { describeRename, displayName, isSafe, safeName, withExtension } from "./filename.js";
import { headerBytes, readHeader } from "./imageheader.js";
import { formatBytes } from "./words.js";

/** limits are those of the server for one photo. */
export const limits = { maxBytes: 20 * 1024 * 1024, maxPixels: 50_000_000 };

/**
 * acceptedFiles is the value of accept for a file input. With it, an iPhone offers its camera and converts HEIC to
 * JPEG.
 */
export const acceptedFiles = "image/*";

/** describeLimits returns a sentence for people who choose a photo. */
export function describeLimits({ maxBytes, maxPixels } = limits) {
  return (
    `JPEG, PNG or WebP of at most ${Math.round(maxBytes / 1024 / 1024)} MB ` +
    `and ${Math.round(maxPixels / 1e6)} megapixels. ` +
    "Larger photos are made smaller here, and other pictures that this browser can open are converted."
  );
}

const maxServerMemory = 256 * 1024 * 1024; // bytes for decoding a photo on the server
const maxFile = 300_000_000; // bytes of a file that the browser is asked to decode
const maxDecoded = 160_000_000; // pixels that the browser is asked to decode, of four bytes each
const maxSide = 4000; // pixels of the longer side of a converted photo; the reader needs 3000

const readTypes = { "image/jpeg": "a JPEG", "image/png": "a PNG", "image/webp": "a WebP" };
const otherTypes = {
  "image/heic": "a HEIC",
  "image/avif": "an AVIF",
  "image/gif": "a GIF",
  "image/bmp": "a BMP",
  "image/tiff": "a TIFF",
  "image/jxl": "a JPEG XL",
};

/** PhotoError is a file that cannot be sent. Its message is for a person. */
export class PhotoError extends Error {
  name = "PhotoError";
}

/**
 * preparePhoto returns what to upload for a file. It throws a PhotoError with a
 * message for a person if the file cannot be sent, and the reason of signal if that
 * is aborted. One file is decoded at a time, and its pixels are released at once.
 *
 * name is a name that the server accepts, displayName the name as the person knows
 * it. note says in sentences what was changed, and is "" if nothing was.
 *
 * @param {File} file
 * @param {{maxBytes?: number, maxPixels?: number, signal?: AbortSignal, decoder?: object}} [options]
 *   decoder replaces the one of the browser in tests
 * @returns {Promise<{blob: Blob, type: string, name: string, displayName: string, note: string}>}
 */
export async function preparePhoto(file, options = {}) {
  const { maxBytes = limits.maxBytes, maxPixels = limits.maxPixels, signal, decoder = browserDecoder } = options;
  const shown = displayName(file.name);
  const header = await readStart(file, shown);
  signal?.throwIfAborted();
  const name = safeName(file.name);
  if (!needsConversion(file, header, { maxBytes, maxPixels })) {
    const note = isSafe(file.name) ? "" : describeRename(shown, name);
    return { blob: file, type: header.type, name, displayName: shown, note };
  }
  checkDecodable(file, header, shown);
  const jpeg = await inTurn(() => convert(file, header, { maxBytes, maxPixels, signal, decoder, shown }));
  const stored = withExtension(name, ".jpg");
  let note = describeConversion(header, jpeg, shown);
  if (!isSafe(file.name)) note += ` ${describeRename(shown, stored)}`;
  return { blob: jpeg.blob, type: "image/jpeg", name: stored, displayName: shown, note };
}

async function readStart(file, shown) {
  if (file.size === 0) throw new PhotoError(`“${shown}” is empty.`);
  let start;
  try {
    start = new Uint8Array(await file.slice(0, headerBytes).arrayBuffer());
  } catch (cause) {
    throw new PhotoError(`“${shown}” cannot be read. If it is in a cloud folder, or has been moved, choose it again.`, {
      cause,
    });
  }
  const header = readHeader(start);
  if (header.type === "application/pdf") {
    throw new PhotoError(`“${shown}” is a PDF. Take a photo of the cover, or save the page as JPEG or PNG.`);
  }
  if (header.type === "")
    throw new PhotoError(`“${shown}” is not a picture that the reader knows. Use JPEG, PNG or WebP.`);
  return header;
}

/**
 * needsConversion reports whether the server would not read the file as it is. Damaged files are the server's to
 * explain.
 */
export function needsConversion(file, header, { maxBytes, maxPixels } = limits) {
  if (!readTypes[header.type] || header.animated) return true;
  const pixels = (header.width ?? 0) * (header.height ?? 0);
  return file.size > maxBytes || pixels > maxPixels || (header.memory ?? 0) > maxServerMemory;
}

function checkDecodable(file, header, shown) {
  const pixels = (header.width ?? 0) * (header.height ?? 0);
  if (file.size <= maxFile && pixels <= maxDecoded) return;
  const size = pixels > maxDecoded ? `${Math.round(pixels / 1e6)} megapixels` : formatBytes(file.size);
  throw new PhotoError(
    `“${shown}” has ${size}. That is more than this page can make smaller: at most ` +
      `${Math.round(maxDecoded / 1e6)} megapixels and ${formatBytes(maxFile)}. Save a smaller copy of it.`,
  );
}

let lastTurn = Promise.resolve();

// inTurn calls work when the earlier calls have ended, so that the pixels of one
// photo exist at a time.
function inTurn(work) {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

async function convert(file, header, { maxBytes, maxPixels, signal, decoder, shown }) {
  signal?.throwIfAborted();
  let image;
  try {
    image = await decoder.decode(file);
  } catch (cause) {
    throw new PhotoError(describeFailure(header, shown), { cause });
  }
  const from = { width: image.width, height: image.height };
  try {
    for (const [side, quality] of [[maxSide, 0.9], [maxSide, 0.75], [2400, 0.75], [1200, 0.7]]) {
      signal?.throwIfAborted();
      const size = fitSize(from, { maxPixels, maxSide: side });
      const blob = await decoder.encode(image, size, quality);
      if (blob?.type === "image/jpeg" && blob.size <= maxBytes) return { blob, from, size };
      if (!blob) break;
    }
  } finally {
    image.close();
  }
  throw new PhotoError(`This browser could not make “${shown}” smaller. Save a smaller copy of it as JPEG.`);
}

/** fitSize returns the size of a picture reduced to the limits, with its proportions. */
export function fitSize({ width, height }, { maxPixels, maxSide: side }) {
  const scale = Math.min(1, side / Math.max(width, height), Math.sqrt(maxPixels / (width * height)));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

function describeFailure({ type }, shown) {
  if (type === "image/heic") {
    return (
      `“${shown}” is a HEIC photo, which this browser cannot open. ` +
      "Open it on the phone or computer that made it and share it " +
      "as JPEG. iPhones take JPEG photos with Settings, Camera, Formats, Most Compatible."
    );
  }
  if (otherTypes[type])
    return `“${shown}” is ${otherTypes[type]} picture, which this browser cannot open. Save it as JPEG or PNG.`;
  return (
    `“${shown}” is too large to be sent as it is, and this browser could not open it to make it smaller. ` +
    "Save a smaller copy of it."
  );
}

function describeConversion(header, { from, size }, shown) {
  const kind = otherTypes[header.type] ?? readTypes[header.type];
  const isScaled = size.width < from.width;
  const scaled = `made smaller, from ${from.width} × ${from.height} to ${size.width} × ${size.height} pixels`;
  if (otherTypes[header.type] || header.animated) {
    const first = header.type === "image/gif" || header.animated ? " Only its first picture is used." : "";
    return `“${shown}” is ${kind} picture. It was converted to JPEG here${isScaled ? ` and ${scaled}` : ""}.${first}`;
  }
  return isScaled ? `“${shown}” was ${scaled}.` : `“${shown}” was saved again as a smaller JPEG.`;
}

// browserDecoder decodes with the browser, which applies the orientation of EXIF.
const browserDecoder = {
  /** decode returns an image with width, height and close. */
  async decode(file) {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return decodeElement(file); // some browsers open more kinds in an element
    }
  },

  /** encode draws the image in that size on white, and returns a JPEG or null. */
  async encode(image, { width, height }, quality) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    try {
      const context = canvas.getContext("2d", { alpha: false });
      if (!context) return null;
      context.fillStyle = "white";
      context.fillRect(0, 0, width, height);
      context.imageSmoothingQuality = "high";
      context.drawImage(image.element ?? image, 0, 0, width, height);
      return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    } finally {
      canvas.width = canvas.height = 0; // releases the pixels
    }
  },
};

async function decodeElement(file) {
  const url = URL.createObjectURL(file);
  try {
    const element = new Image();
    element.src = url;
    await element.decode();
    const close = () => element.removeAttribute("src");
    return { element, width: element.naturalWidth, height: element.naturalHeight, close };
  } finally {
    URL.revokeObjectURL(url);
  }
}
