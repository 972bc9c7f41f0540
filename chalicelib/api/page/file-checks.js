/** What the browser can check of a file before it is sent. */

import { size } from "./formats.js";

const MOST_BYTES = Number(document.querySelector('meta[name="max-bytes"]').content);
const BRANDS = /^(avif|avis|hei[cfmsx]|hev[cmsx]|mif1|msf1)$/;

/** Why a file is refused, in a sentence; null for one that may be sent. */
export async function refusal(file) {
  if (!file.size) return "The file is empty.";
  if (file.size > MOST_BYTES) return `The file has ${size(file.size)}; ${size(MOST_BYTES)} is the most.`;
  const start = await file.slice(0, 64).arrayBuffer().catch(() => null);
  if (!start) return "The file cannot be read.";
  if (!isPhoto(new Uint8Array(start))) return "This is no photo: send JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG 2000 or a camera's raw file.";
  return null;
}

/** By the file's first bytes; its name and what the system calls it may be wrong. */
function isPhoto(bytes) {
  const text = String.fromCharCode(...bytes);
  const begins = (...starts) => starts.some((start) => text.startsWith(start));
  return (
    begins("\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a", "BM", "II*\0", "II+\0", "MM\0*", "MM\0+") ||
    begins("FUJIFILMCCD-RAW ", "IIRO", "IIRS", "IIU\0", "MMOR") ||
    begins("\0\0\0\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51") ||
    text.slice(4, 12) === "ftypcrx " ||
    (begins("RIFF") && text.slice(8, 12) === "WEBP") ||
    (text.slice(4, 8) === "ftyp" && [8, 16, 20, 24, 28, 32].some((at) => BRANDS.test(text.slice(at, at + 4))))
  );
}
