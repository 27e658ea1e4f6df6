// The header of an image file: its kind and its size, read from the bytes and
// never from the name. All functions are pure.

/**
 * @typedef {object} Header
 * @property {string} type the media type, "" if the kind is not known
 * @property {number} [width] in pixels, if the header says it
 * @property {number} [height]
 * @property {number} [memory] estimate of the bytes that the server needs to decode it
 * @property {boolean} [animated]
 */

/** headerBytes is how many bytes of a file readHeader needs at most. */
export const headerBytes = 256 * 1024;

/**
 * readHeader reads the first bytes of a file.
 * @param {Uint8Array} bytes
 * @returns {Header}
 */
export function readHeader(bytes) {
  const b = new Reader(bytes);
  if (b.has(0, "\xff\xd8\xff")) return readJPEG(b);
  if (b.has(0, "\x89PNG\r\n\x1a\n")) return readPNG(b);
  if (b.has(0, "RIFF") && b.has(8, "WEBP")) return readWebP(b);
  if (b.has(4, "ftyp")) return readBoxes(b);
  if (b.has(0, "GIF87a") || b.has(0, "GIF89a")) return { type: "image/gif", width: b.u16le(6), height: b.u16le(8) };
  if (b.has(0, "BM") && b.size > 26) return readBMP(b);
  if (b.has(0, "II*\0") || b.has(0, "MM\0*")) return { type: "image/tiff" };
  if (b.has(0, "\0\0\0\x0cJXL ") || b.has(0, "\xff\x0a")) return { type: "image/jxl" };
  if (b.has(0, "%PDF-")) return { type: "application/pdf" };
  return { type: "" };
}

// Reader reads numbers and text at a position. Beyond the end, bytes are 0.
class Reader {
  #b;

  constructor(bytes) {
    this.#b = bytes;
    this.size = bytes.length;
  }

  u8 = (at) => this.#b[at] ?? 0;
  u16 = (at) => (this.u8(at) << 8) | this.u8(at + 1);
  u32 = (at) => this.u16(at) * 65536 + this.u16(at + 2);
  u16le = (at) => this.u8(at) | (this.u8(at + 1) << 8);
  u24le = (at) => this.u16le(at) | (this.u8(at + 2) << 16);
  u32le = (at) => this.u16le(at) + this.u16le(at + 2) * 65536;

  text(at, length) {
    return String.fromCharCode(...this.#b.subarray(at, at + length));
  }

  has(at, text) {
    return this.text(at, text.length) === text;
  }
}

function readJPEG(b) {
  const h = { type: "image/jpeg" };
  for (let at = 2; at + 4 <= b.size; ) {
    if (b.u8(at) !== 0xff) break;
    const marker = b.u8(at + 1);
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      if (at + 10 > b.size) break;
      h.height = b.u16(at + 5);
      h.width = b.u16(at + 7);
      h.memory = h.width * h.height * frameBytes(marker, b.u8(at + 9));
      break;
    }
    if (marker === 0xda) break; // pixels before a frame: damaged
    at += 2 + b.u16(at + 2);
  }
  return h;
}

// frameBytes returns the bytes for each pixel: the samples, the coefficients of a
// progressive image, and the pixels of one with four inks.
function frameBytes(marker, components) {
  const samples = marker === 0xc2 ? 5 * components : components;
  return samples + (components === 4 ? 4 : 0);
}

function readPNG(b) {
  if (!b.has(12, "IHDR")) return { type: "image/png" };
  const [width, height, depth, interlaced] = [b.u32(16), b.u32(20), b.u8(24), b.u8(28)];
  return { type: "image/png", width, height, memory: width * height * (depth === 16 ? 8 : 4) * (interlaced ? 2 : 1) };
}

// The server reckons with the Huffman trees that a hostile lossless image, or a
// plane of transparency, can have.
const losslessTrees = 220_000_000; // bytes

function readWebP(b) {
  const h = { type: "image/webp" };
  const isExtended = b.has(12, "VP8X");
  if (isExtended) {
    h.animated = (b.u8(20) & 2) !== 0;
    h.width = b.u24le(24) + 1;
    h.height = b.u24le(27) + 1;
  } else if (b.has(12, "VP8L")) {
    const bits = b.u32le(21);
    h.width = (bits & 0x3fff) + 1;
    h.height = ((bits >>> 14) & 0x3fff) + 1;
  } else if (b.has(12, "VP8 ")) {
    h.width = b.u16le(26) & 0x3fff;
    h.height = b.u16le(28) & 0x3fff;
  }
  if (!h.width) return h;
  const pixels = h.width * h.height;
  const hasAlpha = isExtended && (b.u8(20) & 16) !== 0;
  h.memory = hasAlpha || isLossless(b) ? losslessTrees + 12 * pixels : 2 * pixels;
  return h;
}

// isLossless reports whether a chunk with a lossless image follows, after the
// colour profile if there is one.
function isLossless(b) {
  for (let at = 12; at + 8 <= b.size; ) {
    if (b.has(at, "VP8L")) return true;
    if (b.has(at, "VP8 ")) return false;
    const size = b.u32le(at + 4);
    at += 8 + size + (size % 2);
  }
  return false;
}

function readBMP(b) {
  return { type: "image/bmp", width: b.u32le(18), height: Math.abs(b.u32le(22) | 0) };
}

// readBoxes reads the brands of an ISO file. The size of the picture is in boxes
// named ispe, one for each tile and one for the whole.
function readBoxes(b) {
  const end = Math.min(b.u32(0), b.size, 256);
  const brands = [];
  for (let at = 8; at + 4 <= end; at += at === 8 ? 8 : 4) brands.push(b.text(at, 4));
  let type = "";
  if (brands.some((x) => x === "avif" || x === "avis")) type = "image/avif";
  else if (brands.some((x) => /^(?:hei[cxms]|hev[cx]|mif1|msf1)$/.test(x))) type = "image/heic";
  const h = { type };
  if (!type) return h;
  for (let at = end; at + 16 <= Math.min(b.size, 64 * 1024); at++) {
    if (!b.has(at, "ispe")) continue;
    const [width, height] = [b.u32(at + 8), b.u32(at + 12)];
    if (width * height > (h.width ?? 0) * (h.height ?? 0)) Object.assign(h, { width, height });
  }
  return h;
}
