// Screenshots are files of the run.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

// keepScreenshot writes a picture. Its file has the name of the state that it shows.
export function keepScreenshot(name, png) {
  return writeFile(join(process.env.BROWSER_SHOTS, `${name.replaceAll(/[^\p{L}\p{N}]+/gu, "-")}.png`), png);
}
