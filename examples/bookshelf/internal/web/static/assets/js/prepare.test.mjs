import assert from "node:assert/strict";
import { test } from "node:test";
import { readHeader } from "./imageheader.js";
import { PhotoError, describeLimits, fitSize, limits, needsConversion, preparePhoto } from "./prepare.js";

const ascii = (text) => [...text].map((c) => c.charCodeAt(0));
const be32 = (n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const le32 = (n) => be32(n).reverse();
const le24 = (n) => le32(n).slice(0, 3);

const png = (w, h, depth = 8, interlaced = 0) => [
  0x89, ...ascii("PNG\r\n\x1a\n"), ...be32(13), ...ascii("IHDR"), ...be32(w), ...be32(h), depth, 2, 0, 0, interlaced,
];
const jpeg = (w, h, marker = 0xc0, components = 3) => [
  0xff,
  0xd8,
  0xff,
  0xe1,
  0,
  6,
  ...ascii("Exif"),
  0xff,
  0xff,
  marker,
  0,
  8 + 3 * components,
  8,
  h >> 8,
  h & 255,
  w >> 8,
  w & 255,
  components,
];
const webp = (flags, w, h) => [
  ...ascii("RIFF"), ...le32(30), ...ascii("WEBPVP8X"), ...le32(10), flags, 0, 0, 0, ...le24(w - 1), ...le24(h - 1),
];
const boxes = (brand, w, h) => [
  ...be32(24),
  ...ascii(`ftyp${brand}`),
  ...be32(0),
  ...ascii(`mif1${brand}`),
  ...be32(20),
  ...ascii("ispe"),
  ...be32(0),
  ...be32(512),
  ...be32(512),
  ...be32(20),
  ...ascii("ispe"),
  ...be32(0),
  ...be32(w),
  ...be32(h),
];
const gif = (w, h) => [...ascii("GIF89a"), w & 255, w >> 8, h & 255, h >> 8];
const bmp = (w, h) => [...ascii("BM"), ...Array(16).fill(0), ...le32(w), ...le32(h), 0, 0];

const file = (bytes, name) => new File([new Uint8Array(bytes)], name);

/** codec records what it is asked, in the place of the browser's. */
function codec(width, height, { bytes = 10, fails = false } = {}) {
  const log = [];
  const sizes = [bytes].flat();
  return {
    log,
    async decode() {
      if (fails) throw new Error("cannot decode");
      log.push("decode");
      return { width, height, close: () => log.push("close") };
    },
    async encode(image, size, quality) {
      log.push(`${size.width}×${size.height} ${quality}`);
      return new Blob([new Uint8Array(sizes.length > 1 ? sizes.shift() : sizes[0])], { type: "image/jpeg" });
    },
  };
}

test("the kind and size of a picture come from its bytes", () => {
  for (const [bytes, type, width, height] of [
    [png(12000, 9000), "image/png", 12000, 9000],
    [jpeg(4000, 3000), "image/jpeg", 4000, 3000],
    [jpeg(4000, 3000, 0xc2), "image/jpeg", 4000, 3000],
    [webp(2, 16000, 70), "image/webp", 16000, 70],
    [
      [...ascii("RIFF"), ...le32(20), ...ascii("WEBPVP8L"), ...le32(9), 0x2f, ...le32(299 | (399 << 14))],
      "image/webp",
      300,
      400,
    ],
    [
      [...ascii("RIFF"), ...le32(20), ...ascii("WEBPVP8 "), ...le32(9), 0, 0, 0, 0x9d, 1, 0x2a, 44, 1, 144, 1],
      "image/webp",
      300,
      400,
    ],
    [boxes("heic", 4032, 3024), "image/heic", 4032, 3024],
    [boxes("avif", 4032, 3024), "image/avif", 4032, 3024],
    [gif(300, 400), "image/gif", 300, 400],
    [bmp(300, -400), "image/bmp", 300, 400],
    [ascii("II*\0"), "image/tiff", undefined, undefined],
    [ascii("%PDF-1.7"), "application/pdf", undefined, undefined],
    [ascii("<svg onload=alert(1)>"), "", undefined, undefined],
    [[0xff, 0xd8, 0xff], "image/jpeg", undefined, undefined],
    [[], "", undefined, undefined],
  ]) {
    const h = readHeader(new Uint8Array(bytes));
    assert.deepEqual([h.type, h.width, h.height], [type, width, height]);
  }
});

test("any start of a file is read without an error", () => {
  for (const whole of [png(9, 9), jpeg(9, 9), webp(0, 9, 9), boxes("heic", 9, 9), gif(9, 9), bmp(9, 9)]) {
    for (let n = 0; n <= whole.length; n++) readHeader(new Uint8Array(whole.slice(0, n)));
  }
  readHeader(new Uint8Array([0xff, 0xd8, ...Array(1000).fill(0xff)]));
  readHeader(new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0]));
});

test("a photo within the limits is sent as it is", async () => {
  const f = file(jpeg(4000, 3000), "E\u0301mile.jpg");
  const done = await preparePhoto(f, { decoder: codec(1, 1, { fails: true }) });
  assert.deepEqual(done, { blob: f, type: "image/jpeg", name: "Émile.jpg", displayName: "Émile.jpg", note: "" });
});

test("the content decides, not the name", async () => {
  const done = await preparePhoto(file(webp(0, 30, 40), "cover.heic"));
  assert.equal(done.type, "image/webp");
  assert.equal(done.name, "cover.heic");
});

test("a name that cannot be stored is explained and kept for display", async () => {
  const done = await preparePhoto(file(png(3, 4), "50% off?.png"));
  assert.equal(done.name, "50_ off_.png");
  assert.equal(done.displayName, "50% off?.png");
  assert.match(done.note, /cannot be stored as it is, so the file is kept as “50_ off_.png”/);
});

test("a picture that only the browser decodes becomes a JPEG", async () => {
  const decoder = codec(4032, 3024);
  const done = await preparePhoto(file(boxes("heic", 4032, 3024), "IMG_1.HEIC"), { decoder });
  assert.equal(done.type, "image/jpeg");
  assert.equal(done.name, "IMG_1.jpg");
  assert.equal(done.displayName, "IMG_1.HEIC");
  assert.match(
    done.note,
    /is a HEIC picture. It was converted to JPEG here and made smaller, from 4032 × 3024 to 4000 × 3000 pixels/,
  );
  assert.deepEqual(decoder.log, ["decode", "4000×3000 0.9", "close"]);
});

test("only the first picture of an animation is used, and the note says so", async () => {
  for (const bytes of [gif(30, 40), webp(2, 30, 40)]) {
    const done = await preparePhoto(file(bytes, "a.gif"), { decoder: codec(30, 40) });
    assert.match(done.note, /Only its first picture is used/);
    assert.equal(done.name, "a.jpg");
  }
});

test("a photo that the server would reject is made smaller", async () => {
  const decoder = codec(12000, 9000);
  const done = await preparePhoto(file(png(12000, 9000), "big.png"), { decoder });
  assert.match(done.note, /“big.png” was made smaller, from 12000 × 9000 to 4000 × 3000 pixels/);
  const isBig = (bytes, size = 10) => needsConversion({ size }, readHeader(new Uint8Array(bytes)));
  assert.ok(!isBig(jpeg(8000, 6000)));
  assert.ok(isBig(jpeg(8000, 6000, 0xc2)), "progressive: too much memory");
  assert.ok(isBig(png(8000, 6000, 16)), "16 bits");
  assert.ok(isBig(png(8000, 5000, 8, 1)), "interlaced");
  const lossless = (w, h) => [
    ...ascii("RIFF"),
    ...le32(20),
    ...ascii("WEBPVP8L"),
    ...le32(9),
    0x2f,
    ...le32((w - 1) | ((h - 1) << 14)),
  ];
  assert.ok(!isBig(lossless(2000, 2000)));
  assert.ok(isBig(lossless(3000, 3000)), "lossless WebP");
  assert.ok(isBig(webp(16, 3000, 3000)), "transparent WebP");
  assert.ok(
    isBig([...webp(0, 3000, 3000), ...ascii("ICCP"), ...le32(3), 1, 2, 3, 0, ...ascii("VP8L"), ...le32(9)]),
    "with a profile",
  );
  assert.ok(!isBig([...webp(0, 8000, 6000), ...ascii("VP8 "), ...le32(9)]), "lossy WebP");
  assert.ok(isBig(jpeg(80, 60), limits.maxBytes + 1));
  assert.ok(!isBig(jpeg(80, 60), limits.maxBytes));
});

test("a converted photo that has too many bytes is made smaller again", async () => {
  const decoder = codec(5000, 5000, { bytes: [300, 200, 90] });
  const done = await preparePhoto(file(gif(5000, 5000), "a.gif"), { decoder, maxBytes: 100 });
  assert.equal(done.blob.size, 90);
  assert.deepEqual(decoder.log, ["decode", "4000×4000 0.9", "4000×4000 0.75", "2400×2400 0.75", "close"]);
  const never = codec(5000, 5000, { bytes: 300 });
  await assert.rejects(
    preparePhoto(file(gif(5000, 5000), "a.gif"), { decoder: never, maxBytes: 100 }),
    /could not make “a.gif” smaller/,
  );
  assert.equal(never.log.at(-1), "close");
});

test("each file that cannot be sent says what to do", async () => {
  const decoder = codec(1, 1, { fails: true });
  for (const [bytes, name, message] of [
    [[], "a.jpg", "“a.jpg” is empty."],
    [ascii("hello"), "a.jpg", /“a.jpg” is not a picture that the reader knows. Use JPEG, PNG or WebP./],
    [ascii("%PDF-1.7"), "a.pdf", /is a PDF. Take a photo of the cover/],
    [boxes("heic", 30, 40), "a.jpg", /is a HEIC photo, which this browser cannot open. .* share it as JPEG/],
    [boxes("avif", 30, 40), "a.avif", /is an AVIF picture, which this browser cannot open/],
    [gif(30, 40), "<b>.gif", /“<b>.gif” is a GIF picture, which this browser cannot open/],
    [png(12000, 9000), "a.png", /too large to be sent as it is, and this browser could not open it/],
    [png(60000, 60000), "a.png", /has 3600 megapixels. That is more than this page can make smaller/],
  ]) {
    await assert.rejects(preparePhoto(file(bytes, name), { decoder }), (err) => {
      assert.ok(err instanceof PhotoError);
      assert.match(err.message, message instanceof RegExp ? message : new RegExp(message));
      return true;
    });
  }
});

test("a file that cannot be read any more is explained", async () => {
  const gone = {
    name: "a.jpg",
    size: 9,
    slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }),
  };
  await assert.rejects(
    preparePhoto(gone),
    /cannot be read. If it is in a cloud folder, or has been moved, choose it again/,
  );
});

test("one photo is decoded at a time, also after a failure", async () => {
  let open = 0;
  let most = 0;
  const decoder = codec(30, 40);
  const decode = decoder.decode;
  decoder.decode = async () => {
    most = Math.max(most, ++open);
    await new Promise((r) => setImmediate(r));
    const image = await decode();
    return { ...image, close: () => open-- };
  };
  const failing = preparePhoto(file(gif(30, 40), "bad.gif"), { decoder: codec(1, 1, { fails: true }) });
  const all = [1, 2, 3].map((n) => preparePhoto(file(gif(30, 40), `${n}.gif`), { decoder }));
  await assert.rejects(failing);
  await Promise.all(all);
  assert.equal(most, 1);
  assert.equal(open, 0);
});

test("an aborted preparation ends with its reason and releases the pixels", async () => {
  const stop = new AbortController();
  const decoder = codec(30, 40);
  const encode = decoder.encode;
  decoder.encode = async (...args) => {
    stop.abort(new Error("another photo"));
    await encode(...args);
    return new Blob([new Uint8Array(1000)], { type: "image/jpeg" });
  };
  const options = { decoder, signal: stop.signal, maxBytes: 100 };
  await assert.rejects(preparePhoto(file(gif(30, 40), "a.gif"), options), /another photo/);
  assert.equal(decoder.log.at(-1), "close");
});

test("a picture keeps its proportions and at least one pixel", () => {
  assert.deepEqual(fitSize({ width: 3000, height: 2000 }, { maxPixels: 5e7, maxSide: 4000 }), {
    width: 3000,
    height: 2000,
  });
  assert.deepEqual(fitSize({ width: 1, height: 90000 }, { maxPixels: 5e7, maxSide: 4000 }), { width: 1, height: 4000 });
  const { width, height } = fitSize({ width: 4000, height: 4000 }, { maxPixels: 1e6, maxSide: 4000 });
  assert.ok(width * height <= 1e6 && width > 990);
});

test("the limits are said in one sentence", () => {
  assert.match(describeLimits(), /^JPEG, PNG or WebP of at most 20 MB and 50 megapixels\./);
});
